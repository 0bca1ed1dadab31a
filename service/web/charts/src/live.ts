/** Follows a job's event stream and asks for an update when something new has happened. */

const KINDS = ["job_state", "trial_started", "epoch", "trial_finished", "point"];
const LEAST_PAUSE = 400; // ms between updates; longer where an update itself takes long
const RETRY = 3000; // ms; browsers reconnect by themselves except after some errors

export type Connection = "live" | "reconnecting" | "ended";

export interface LiveOptions {
  jobId: string;
  since: Date; // what happened earlier is on the page already
  update: (newPoints: boolean) => Promise<{ ended: boolean }>;
  show: (connection: Connection) => void;
}

export function follow(options: LiveOptions): void {
  const updates = coalesced(options);
  let lastId = 0;
  const connect = (): void => {
    const source = new EventSource(`/v1/jobs/${options.jobId}/events?after=${lastId}`);
    source.onopen = () => options.show("live");
    source.onerror = () => {
      options.show("reconnecting");
      if (source.readyState !== EventSource.CLOSED) return;
      source.close();
      void updates.now().then((ended) => {
        if (ended) options.show("ended");
        else window.setTimeout(connect, RETRY);
      });
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        lastId = Number(event.lastEventId) || lastId;
        if (isNews(event.data, options.since)) updates.soon(kind === "point");
      });
    }
  };
  connect();
}

function isNews(data: string, since: Date): boolean {
  const event = JSON.parse(data) as { created_at: string };
  return new Date(event.created_at).getTime() >= since.getTime() - 1000;
}

/** Many events, few updates: one runs at a time, and one more follows when events came meanwhile. */
function coalesced(options: LiveOptions): { soon: (points: boolean) => void; now: () => Promise<boolean> } {
  let timer: number | undefined;
  let points = false;
  let pause = LEAST_PAUSE;
  let last: Promise<boolean> = Promise.resolve(false);

  const run = async (): Promise<boolean> => {
    timer = undefined;
    const withPoints = points;
    points = false;
    const begun = performance.now();
    try {
      return (await options.update(withPoints)).ended;
    } catch {
      points ||= withPoints; // the service may be away for a moment; the next event or reconnection tries again
      return false;
    } finally {
      pause = Math.max(LEAST_PAUSE, 3 * (performance.now() - begun));
    }
  };
  const queued = (): Promise<boolean> => (last = last.then(run));

  return {
    soon: (withPoints) => {
      points ||= withPoints;
      timer ??= window.setTimeout(() => void queued(), pause);
    },
    now: () => {
      points = true;
      return queued();
    },
  };
}
