/** The address names the open conversation, so that it can be reloaded, linked to and gone back to. */

import { useEffect, useRef } from "react";
import type { Conversation } from "../conversation/use_conversation";
import { useLatest } from "../common/hooks";

const LINK = /^#\/c\/([\w-]+)$/;

export function useLink(conversation: Conversation, onDatabase: (name: string) => void): void {
  const latest = useLatest({ conversation, onDatabase });
  const shown = useRef<string | null>(null);

  useEffect(() => {
    const follow = () => {
      const named = LINK.exec(location.hash)?.[1] ?? null;
      if (named === shown.current) return;
      shown.current = named;
      const { conversation: now, onDatabase: choose } = latest.current;
      if (named) void now.open(named).then((database) => database && choose(database));
      else now.begin();
    };
    follow();
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, [latest]);

  const { thread } = conversation;
  const before = useRef(thread);
  useEffect(() => {
    if (before.current === thread) return;
    before.current = thread;
    if (shown.current === thread) return;
    shown.current = thread;
    history.pushState(null, "", thread ? `#/c/${thread}` : location.pathname);
  }, [thread]);
}
