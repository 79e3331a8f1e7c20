// What the page knows. The workspace's changes are applied here; the parts of the page listen.

import { act, boot, follow, RETRY_MS } from "./api.js";

const listeners = new Set();
let endFollowing = () => {};

export const store = {
  me: null,
  team: "",
  app: { command: "/buzzy", user: "", hints: [] },
  users: new Map(),
  groups: new Map(),
  channels: new Map(),
  views: [],
  home: null,
  connections: 0,
  online: true,
};

/** Calls `listener(change)` after every change; kinds as in the workspace, and `everything`, `online`. */
export function onChange(listener) {
  listeners.add(listener);
}

function tell(change) {
  for (const listener of listeners) listener(change);
}

/** Loads everything as `user` and follows what changes from there. */
export async function become(user) {
  const data = await boot(user);
  endFollowing();
  Object.assign(store, {
    team: data.team,
    app: data.app,
    connections: data.connections,
    views: data.views,
    home: data.home,
    online: true,
    users: new Map(data.users.map((each) => [each.id, each])),
    groups: new Map(data.groups.map((each) => [each.id, each])),
    channels: new Map(data.channels.map((each) => [each.id, asChannel(each)])),
  });
  store.me = store.users.get(data.you);
  localStorage.setItem("me", data.you);
  tell({ kind: "everything" });
  endFollowing = follow(user, data.seq, { onChange: apply, onState: setOnline });
}

/** Loads everything again, as soon as the workspace answers. */
async function reload() {
  try {
    await become(store.me.id);
  } catch {
    setOnline(false);
    setTimeout(reload, RETRY_MS);
  }
}

/** Does something as the present person. */
export function doing(action, body) {
  return act(store.me.id, action, body);
}

function asChannel(data) {
  return {
    ...data,
    messages: new Map(data.messages.map((each) => [each.ts, each])),
    ephemerals: new Map(data.ephemerals.map((each) => [each.ts, each])),
  };
}

function setOnline(online) {
  if (store.online === online) return;
  store.online = online;
  tell({ kind: "online" });
}

function apply(change) {
  const channel = store.channels.get(change.channel);
  switch (change.kind) {
    case "reset":
    case "channel":
      reload();
      return;
    case "message":
      channel?.messages.set(change.message.ts, change.message);
      break;
    case "message_deleted":
      channel?.messages.delete(change.ts);
      break;
    case "ephemeral":
      channel?.ephemerals.set(change.message.ts, change.message);
      break;
    case "ephemeral_deleted":
      channel?.ephemerals.delete(change.ts);
      break;
    case "view":
      store.views = [...store.views.filter((each) => each.id !== change.view.id), change.view];
      break;
    case "view_closed":
      store.views = store.views.filter((each) => each.id !== change.view_id);
      break;
    case "home":
      store.home = change.view;
      break;
    case "app":
      store.connections = change.connections;
      break;
  }
  tell(change);
}

/** The messages of a channel itself, oldest first, with what is visible to this person alone among them. */
export function inChannel(channel) {
  const seen = [...channel.messages.values()].filter(
    (each) => !each.thread_ts || each.thread_ts === each.ts || each.subtype === "thread_broadcast",
  );
  const mine = [...channel.ephemerals.values()].filter((each) => !each.thread_ts);
  return sorted([...seen, ...mine]);
}

/** The root of a thread and its replies, oldest first. */
export function inThread(channel, threadTs) {
  const all = [...channel.messages.values(), ...channel.ephemerals.values()];
  return sorted(all.filter((each) => each.ts === threadTs || each.thread_ts === threadTs));
}

function sorted(messages) {
  return messages.sort((one, other) => (one.ts < other.ts ? -1 : 1));
}

/** A person's or the app's name to show. */
export function nameOf(userId) {
  if (userId === "USLACKBOT") return "Slackbot";
  const user = store.users.get(userId);
  return user ? user.real_name : userId;
}

// What was read is remembered by the browser, for each person on their own.

function readMarks() {
  return JSON.parse(localStorage.getItem(`read:${store.me.id}`) ?? "{}");
}

/** Remembers that this person has seen everything in a channel so far. */
export function markRead(channel) {
  const latest = sorted([...channel.messages.values(), ...channel.ephemerals.values()]).at(-1)?.ts ?? "0";
  const marks = readMarks();
  if ((marks[channel.id] ?? "") >= latest) return;
  marks[channel.id] = latest;
  localStorage.setItem(`read:${store.me.id}`, JSON.stringify(marks));
}

/** The timestamp up to which this person has seen a channel. */
export function readUpTo(channel) {
  return readMarks()[channel.id] ?? "";
}

/** How much of a channel is new to this person, and how much of it, replies included, names them. */
export function unread(channel) {
  const mark = readMarks()[channel.id] ?? "0";
  const fresh = (messages) => messages.filter((each) => each.ts > mark && each.user !== store.me.id);
  const seen = fresh(inChannel(channel));
  const naming = channel.is_im ? seen : fresh([...channel.messages.values()]).filter(namesMe);
  return { fresh: Math.max(seen.length, naming.length), naming: naming.length };
}

/** Whether a message calls this person: by name, by a group of theirs, or everybody. */
export function namesMe(message) {
  const text = JSON.stringify([message.text, message.blocks ?? []]);
  const mine = [...store.groups.values()].filter((group) => group.users.includes(store.me.id));
  const calls = [`<@${store.me.id}`, "<!here", "<!channel", ...mine.map((group) => `<!subteam^${group.id}`)];
  return calls.some((call) => text.includes(call));
}
