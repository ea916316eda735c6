// One tab of a browser holds the stream, elected by a lock; it tells the others. Whoever starts or comes back
// fetches anew, since what happened meanwhile was told to nobody.

export function live(business, base, { change, state, over }) {
  const channel = "BroadcastChannel" in self ? new BroadcastChannel(`sara-live-${business}`) : null;
  if (channel) channel.onmessage = ({ data }) => take(data);

  function take(data) {
    if (data.k === "open") state(true);
    else if (data.k === "lost") state(false);
    else if (data.k === "over") over();
    else change(data);
    if (data.k === "open") change({ c: null, k: "refetch" });
  }

  function tell(data) {
    take(data);
    channel?.postMessage(data);
  }

  function hold() {
    const source = new EventSource(`${base}/live`);
    source.addEventListener("open", () => tell({ k: "open" }));
    source.addEventListener("over", () => { source.close(); tell({ k: "over" }); });
    source.onmessage = ({ data }) => tell(JSON.parse(data));
    source.onerror = () => {
      tell({ k: "lost" });
      // A stream that was refused is not tried again by the browser itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(hold, 3000 + Math.random() * 2000);
    };
  }

  // The lock is held until the tab closes, and then the next one gets it.
  if (navigator.locks) navigator.locks.request(`sara-live-${business}`, () => { hold(); return new Promise(() => {}); });
  else hold();
}
