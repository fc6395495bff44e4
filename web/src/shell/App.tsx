/** The page: conversation on the left, the chosen answer on the right, tables where wanted. */

import { useEffect, useMemo, useRef, useState } from "react";
import type { Decision } from "../api/types";
import { AnswerPane } from "../answer/AnswerPane";
import type { EditorHandle } from "../answer/SqlEditor";
import { useNarrow } from "../common/hooks";
import { ApproveDialog } from "../conversation/ApproveDialog";
import { ClarifyDialog } from "../conversation/ClarifyDialog";
import { ConversationPane } from "../conversation/ConversationPane";
import type { Turn } from "../conversation/turns";
import { useConversation } from "../conversation/use_conversation";
import { SchemaTree } from "../schema/SchemaTree";
import { Footer } from "./Footer";
import { addFile, Header, type Opened } from "./Header";
import { HistoryDialog } from "./HistoryDialog";
import { SettingsDialog } from "./SettingsDialog";
import { useFileDrop } from "./use_file_drop";
import { useLink } from "./use_link";
import { useServer } from "./use_server";
import { useSettings } from "./use_settings";
import { VerifiedDialog } from "./VerifiedDialog";

const EXAMPLES = 5;

type Pane = "conversation" | "answer";

export function App() {
  const server = useServer();
  const [settings, change] = useSettings();
  const { model, approve, clarify, theme } = settings;
  const run = useMemo(() => ({ approve, clarify, ...(model ? { model } : {}) }), [approve, clarify, model]);
  const conversation = useConversation(server.database, run);
  const { turns } = conversation;
  const [picked, setPicked] = useState<number | null>(null);
  const [pane, setPane] = useState<Pane>("conversation");
  const [opened, setOpened] = useState<Opened>("");
  const [fileError, setFileError] = useState("");
  const [deciding, setDeciding] = useState(true);
  const editor = useRef<EditorHandle>(null);
  const narrow = useNarrow();

  const turn = turns.find((one) => one.key === picked) ?? lastShown(turns);
  const asked = turns.at(-1)?.asked ?? null;
  useEffect(() => setDeciding(true), [asked]);
  useEffect(() => setPicked(null), [turns.length]);
  useEffect(() => {
    if (!conversation.running) server.refresh();
  }, [conversation.running, server.refresh]);
  useLink(conversation, server.choose);
  const dragged = useFileDrop(server.about?.upload ?? false, (file) => void addFile(file, server, setFileError));

  const chooseDatabase = (name: string) => {
    conversation.begin();
    server.choose(name);
  };
  const decide = (decision: Decision) => conversation.decide(decision);
  const show = (key: number) => {
    setPicked(key);
    setPane("answer");
  };
  const speed = turns.findLast((one) => one.result)?.result?.calls ?? [];
  const answerShown = !narrow || pane === "answer";

  return (
    <div className={settings.tables ? "page with-tables" : "page"} data-dragged={dragged || undefined}>
      <Header
        server={server}
        thread={conversation.thread}
        tables={settings.tables}
        onTables={() => change({ tables: !settings.tables })}
        onOpen={setOpened}
        onNew={conversation.begin}
        onDatabase={chooseDatabase}
        onUploadError={setFileError}
      />
      {[server.error, fileError].filter(Boolean).map((message) => (
        <p key={message} className="notice bad banner" role="alert">
          {message}
        </p>
      ))}
      {narrow && (
        <div className="segments panes" role="group" aria-label="What is shown">
          {(["conversation", "answer"] as const).map((each) => (
            <button key={each} type="button" aria-pressed={pane === each} onClick={() => setPane(each)}>
              {each === "conversation" ? "Conversation" : "Answer"}
            </button>
          ))}
        </div>
      )}
      <main>
        {settings.tables && (
          <SchemaTree
            schema={server.schema}
            error={server.schemaError}
            onInsert={turn?.result || turn?.trace.attempts.length ? (name) => editor.current?.insert(name) : null}
            onClose={() => change({ tables: false })}
          />
        )}
        {(!narrow || pane === "conversation") && (
          <ConversationPane
            conversation={conversation}
            chosen={turn?.key ?? null}
            onChoose={show}
            onDecide={() => setDeciding(true)}
            examples={(server.schema?.questions ?? []).slice(0, EXAMPLES)}
            database={server.database}
            ready={server.database !== ""}
          />
        )}
        {answerShown && (
          <div className="right">
            {turn ? (
              <AnswerPane
                key={turn.key}
                turn={turn}
                database={server.database}
                schema={server.schema}
                about={server.about}
                theme={theme}
                author={settings.author}
                onAuthor={(author) => change({ author })}
                onRetry={() => conversation.ask(turn.said)}
                onMend={(sql) => conversation.ask(turn.understood || turn.said, sql)}
                onAnswerQuestion={() => setDeciding(true)}
                editor={editor}
              />
            ) : (
              <p className="muted empty">The answer, its SQL and its rows will be here.</p>
            )}
          </div>
        )}
      </main>
      <Footer about={server.about} status={server.status} calls={speed} model={model} />
      {asked?.type === "clarify" && deciding && (
        <ClarifyDialog asked={asked} onDecide={decide} onClose={() => setDeciding(false)} />
      )}
      {asked?.type === "approve" && deciding && (
        <ApproveDialog asked={asked} schema={server.schema} onDecide={decide} onClose={() => setDeciding(false)} />
      )}
      {opened === "history" && (
        <HistoryDialog
          current={conversation.thread}
          onOpen={() => setOpened("")}
          onForgotten={(thread) => thread === conversation.thread && conversation.begin()}
          onClose={() => setOpened("")}
        />
      )}
      {opened === "verified" && <VerifiedDialog database={server.database} onClose={() => setOpened("")} />}
      {opened === "settings" && (
        <SettingsDialog settings={settings} info={server.about} onChange={change} onClose={() => setOpened("")} />
      )}
    </div>
  );
}

/** The newest turn with something to show; a mere remark leaves the answer before it in view. */
function lastShown(turns: readonly Turn[]): Turn | undefined {
  return turns.findLast(
    (turn) => turn.state !== "done" || turn.result !== null || turn.trace.attempts.length > 0,
  );
}
