/** Settings of this browser. */

import type { About } from "../api/types";
import { Dialog } from "../common/Dialog";
import type { Settings, Theme } from "./use_settings";

interface Props {
  settings: Settings;
  info: About | null;
  onChange: (change: Partial<Settings>) => void;
  onClose: () => void;
}

const THEMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function SettingsDialog({ settings, info, onChange, onClose }: Props) {
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div className="form">
        <label className="check">
          <input
            type="checkbox"
            checked={settings.approve}
            onChange={(event) => onChange({ approve: event.target.checked })}
          />
          Ask me before a query runs
        </label>
        <label className="check">
          <input
            type="checkbox"
            checked={settings.clarify}
            onChange={(event) => onChange({ clarify: event.target.checked })}
          />
          Ask me when a question can be read in two ways
        </label>
        {info && (info.models?.length ?? 0) > 1 && (
          <label>
            Model
            <select value={settings.model} onChange={(event) => onChange({ model: event.target.value })}>
              <option value="">{info.model.name} (as the server was started)</option>
              {info.models
                ?.filter((name) => name !== info.model.name)
                .map((name) => (
                  <option key={name}>{name}</option>
                ))}
            </select>
          </label>
        )}
        <fieldset className="segments" aria-label="Colours">
          {(Object.keys(THEMES) as Theme[]).map((theme) => (
            <label key={theme}>
              <input
                type="radio"
                name="theme"
                checked={settings.theme === theme}
                onChange={() => onChange({ theme })}
              />
              <span>{THEMES[theme]}</span>
            </label>
          ))}
        </fieldset>
      </div>
    </Dialog>
  );
}
