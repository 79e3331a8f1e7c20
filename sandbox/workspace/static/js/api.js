// Talks to the workspace: what the person does goes up, what changes comes down.

/** Reads everything that `user` can see. */
export async function boot(user) {
  const response = await fetch(`/client/boot?user=${encodeURIComponent(user)}`);
  if (!response.ok) throw new Error(`The workspace answered ${response.status}.`);
  return response.json();
}

/** Does something as `user`; throws an `Error` that can be shown when the workspace would not have it. */
export async function act(user, action, body = {}) {
  const response = await fetch(`/client/${action}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user, ...body }),
  });
  const answer = await response.json();
  if (!answer.ok) throw new Error(answer.error);
  return answer;
}

/** How long to wait before trying again what did not work, in milliseconds. */
export const RETRY_MS = 500;

/**
 * Follows the changes after `since`, again from where it stopped whenever the connection is lost. It is a
 * WebSocket because browsers allow six other connections to one server, and people open a tab for each
 * person. Returns a function that ends it.
 */
export function follow(user, since, { onChange, onState }) {
  let ended = false;
  let socket;
  const open = () => {
    if (ended) return;
    const url = new URL(`/client/stream?user=${encodeURIComponent(user)}&since=${since}`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.onopen = () => onState(true);
    socket.onmessage = (event) => {
      const change = JSON.parse(event.data);
      since = change.seq;
      if (!ended) onChange(change);
    };
    socket.onclose = () => {
      if (ended) return;
      onState(false);
      setTimeout(open, RETRY_MS);
    };
  };
  open();
  return () => {
    ended = true;
    socket.close();
  };
}
