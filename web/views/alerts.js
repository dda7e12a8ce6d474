/** Notifications of the desktop, and a sound. */

import { nameFiles } from "../wire/files.js";
import { plainText } from "../wire/markup.js";
import { t } from "../text/index.js";

/** @import { Alert, Store } from "../model/types.js" */

/** @type {AudioContext | null} */
let audio = null;

/** Notifies of a message that the model names. @param {Store} store @param {Alert} alert @param {(name: string, msgid: string | null) => void} open */
export function notify(store, { conversation, entry }, open) {
  const settings = store.settings();
  if (settings.sound) beep();
  if (!settings.notifications || !("Notification" in window) || Notification.permission !== "granted") return;
  const name = store.trustedName(entry.from) ?? entry.from;
  const isChannel = store.conversation(conversation)?.kind === "channel";
  const notification = new Notification(isChannel ? t("messageIn", { name, channel: conversation }) : name, { body: plainText(nameFiles(entry.text, entry.files)).slice(0, 300), tag: conversation, icon: "icon.svg" });
  notification.onclick = () => {
    window.focus();
    open(conversation, entry.msgid);
    notification.close();
  };
}

/** Plays two short, quiet tones. Browsers allow it once the user has used the page. */
function beep() {
  try {
    audio ??= new AudioContext();
    [660, 880].forEach((frequency, index) => {
      if (!audio) return;
      const [tone, volume] = [audio.createOscillator(), audio.createGain()];
      const start = audio.currentTime + index * 0.12;
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0.06, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.11);
      tone.connect(volume).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.12);
    });
  } catch {
    // A page without sound still works.
  }
}
