// Where the person is: a channel or the App Home, perhaps with a thread beside it. The address bar knows too.

const listeners = new Set();

export const place = { kind: "channel", channel: "", thread: "", highlight: "" };

/** Calls `listener()` whenever the person goes somewhere. */
export function onMove(listener) {
  listeners.add(listener);
}

function move(to) {
  Object.assign(place, to);
  const path =
    place.kind === "home" ? "#/home" : `#/${place.channel}${place.thread ? `/${place.thread}` : ""}`;
  if (location.hash !== path) history.pushState(null, "", `/${location.search}${path}`);
  for (const listener of listeners) listener();
}

/** Shows a channel; `highlight` is the message to look at. */
export function openChannel(channel, highlight = "") {
  move({ kind: "channel", channel, thread: "", highlight });
}

/** Shows a thread beside its channel. */
export function openThread(channel, thread, highlight = "") {
  move({ kind: "channel", channel, thread, highlight });
}

/** Closes the thread. */
export function closeThread() {
  move({ thread: "", highlight: "" });
}

/** Shows the App Home. */
export function openHome() {
  move({ kind: "home", thread: "", highlight: "" });
}

/** Goes where the address says: `#/C0DEV/1700000000.000100`, or as Slack `/archives/C0DEV/p1700000000000100`. */
export function followAddress(fallback) {
  const permalink = location.pathname.match(/^\/archives\/(\w+)(?:\/p(\d+)(\d{6}))?/);
  if (permalink) {
    const [, channel, seconds, micros] = permalink;
    const ts = seconds ? `${seconds}.${micros}` : "";
    const thread = new URLSearchParams(location.search).get("thread_ts") ?? "";
    history.replaceState(null, "", "/");
    return move({ kind: "channel", channel, thread, highlight: ts });
  }
  const [, channel, thread] = location.hash.split("/");
  if (channel === "home") return openHome();
  return move({ kind: "channel", channel: channel || fallback, thread: thread ?? "", highlight: "" });
}
