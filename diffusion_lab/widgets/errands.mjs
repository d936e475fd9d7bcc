// A worker that runs one errand at a time, so that controls can ask as often as they move.

/** ask(request): of all that is asked while the worker is busy, only the last is done. `start` makes the worker, at the
 * first request; heard(answer, request) is told of every answer, and of {wrong} where the worker itself fails. */
export function errands(start, heard) {
  let [worker, current, next] = [null, null, null];

  function answered(answer) {
    const [request, following] = [current, next];
    [current, next] = [null, null];
    heard(answer, request);
    if (following) ask(following);
  }

  function hired() {
    const made = start();
    made.onmessage = ({ data }) => answered(data);
    made.onerror = () => {
      worker = null; // the next request tries again
      answered({ wrong: "This browser did not start the worker that computes." });
    };
    return made;
  }

  function ask(request) {
    if (current) {
      next = request;
      return;
    }
    current = request;
    worker ??= hired();
    worker.postMessage(request);
  }
  return ask;
}

/** A worker from a script that comes as text: a notebook has no files. */
export const started = (script) => new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
