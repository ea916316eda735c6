// One tab of a browser holds the stream, elected by a lock; it tells the others. Whoever starts or comes back
// fetches anew, since what happened meanwhile was told to nobody. With the session the lock is given up: who logs in
// again in any tab gets it, and the others stand in line again once they hear of that or are looked at.

export function live(business, base, { change, state, over }) {
  const name = `sara-live-${business}`;
  const channel = "BroadcastChannel" in self ? new BroadcastChannel(name) : null;
  let asked = false; // this tab holds the stream or stands in line for it
  let ended = false; // the session was over when this tab heard of it last

  function take(data) {
    if (data.k === "over") ended = true;
    if (data.k === "open") ended = false;
    if (data.k === "open") state(true);
    else if (data.k === "lost") state(false);
    else if (data.k === "over") over();
    else change(data);
    if (data.k === "open") change({ c: null, k: "refetch" });
  }

  // The others first: what fails in this tab must not keep it from them.
  function tell(data) {
    channel?.postMessage(data);
    take(data);
  }

  function ask() {
    if (asked) return;
    asked = true;
    const turn = () => new Promise((done) => hold(done));
    const left = () => { asked = false; };
    (navigator.locks ? navigator.locks.request(name, turn) : turn()).then(left, left);
  }

  // An event source does not say why it was refused, nor whether somebody has logged in again since.
  async function refused() {
    const enough = new AbortController();
    const answer = await fetch(`${base}/live`, { signal: enough.signal }).catch(() => null);
    enough.abort();
    return [401, 403, 404].includes(answer?.status);
  }

  // The stream is held until the tab closes or the session is over; then the next one gets it.
  function hold(done) {
    const source = new EventSource(`${base}/live`);
    const leave = () => { tell({ k: "over" }); done(); };
    source.addEventListener("open", () => tell({ k: "open" }));
    source.addEventListener("over", async () => {
      source.close();
      if (await refused()) leave();
      else hold(done);
    });
    source.onmessage = ({ data }) => tell(JSON.parse(data));
    source.onerror = async () => {
      // A stream that was refused is not tried again by the browser itself.
      if (source.readyState !== EventSource.CLOSED) return tell({ k: "lost" });
      if (await refused()) return leave();
      tell({ k: "lost" });
      setTimeout(() => hold(done), 3000 + Math.random() * 2000);
    };
  }

  function again() {
    if (!ended || document.hidden) return;
    ended = false;
    ask();
  }

  if (channel) {
    channel.onmessage = ({ data }) => {
      take(data);
      if (data.k === "open") ask();
    };
  }
  addEventListener("focus", again);
  document.addEventListener("visibilitychange", again);
  ask();
}
