// A worker: it fetches the network at the first request and draws digits at every one, so that the page never waits.
// sampler.mjs is at the other end.

import { mlp } from "./network.mjs";
import { fetched, tensors } from "./safetensors.mjs";
import { drawn } from "./sampling.mjs";

let network = null;

self.onmessage = async ({ data: { address, sha256, ...how } }) => {
  try {
    network ??= mlp(tensors(await fetched(address, sha256)));
    const start = performance.now();
    const digits = drawn(network, how);
    self.postMessage({ ...digits, milliseconds: performance.now() - start });
  } catch (error) {
    self.postMessage({ wrong: error.message });
  }
};
