/** Actions on conversations that reading takes: opening, loading, marking as read, drafts. */

/** @import { Model } from "../model.js" */
/** @import { Actions } from "../types.js" */

/** @param {Model} model */
export function conversationActions(model) {
  /** @satisfies {Partial<Actions>} */
  const actions = {
    open: (name) => model.show(name),
    markRead: (name) => {
      const buffer = model.buffer(name);
      if (buffer !== undefined) model.markRead(buffer);
    },
    loadOlder: (name) => {
      const buffer = model.buffer(name);
      if (buffer !== undefined) buffer.wantsOlder = true;
      model.history.schedule();
    },
    loadNewer: (name) => {
      const buffer = model.buffer(name);
      if (buffer !== undefined) buffer.wantsNewer = true;
      model.history.schedule();
    },
    jumpToLatest: (name) => {
      const buffer = model.buffer(name);
      if (buffer === undefined || buffer.extent !== "past") return;
      buffer.clear();
      model.touchTimeline(buffer);
      model.history.schedule();
    },
    setDraft: (name, text, replyTo) => {
      // That of a conversation that was closed is stored already.
      const buffer = model.buffer(name);
      if (buffer === undefined || buffer.draft === text && buffer.draftReply === replyTo) return;
      const hadDraft = buffer.draft !== "";
      [buffer.draft, buffer.draftReply] = [text, replyTo];
      model.storeDraft(buffer);
      if (hadDraft !== (text !== "")) model.touch("conversations");
    },
    setFocused: (focused) => model.setFocused(focused),
    dismissNotice: (id) => {
      model.notices = model.notices.filter((notice) => notice.id !== id);
      model.touch("notices");
    },
  };
  return actions;
}
