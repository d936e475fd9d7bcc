// The .safetensors files of trained networks, as the package ships them: fetched, held against a checksum, and read.

/** The bytes at an address, if they are the ones that the checksum was made of. Fails in sentences. */
export async function fetched(address, sha256) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok) throw new Error("The file of the network cannot be fetched.");
  const buffer = await answer.arrayBuffer();
  // pages that come without encryption, other than from this machine, have no crypto.subtle: there the header has to do
  if (globalThis.crypto?.subtle && hex(await crypto.subtle.digest("SHA-256", buffer)) !== sha256) {
    throw new Error("The file of the network is damaged: its checksum is another.");
  }
  return buffer;
}

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** {name: {shape, values}} of a file: 8 bytes of length, a JSON header, then float16 numbers. */
export function tensors(buffer) {
  try {
    const length = Number(new DataView(buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    return Object.fromEntries(Object.entries(header).map(([name, about]) => [name, tensor(buffer, 8 + length, about)]));
  } catch (error) {
    throw new Error(`The file of the network cannot be read (${error.message}).`);
  }
}

function tensor(buffer, start, { dtype, shape, data_offsets: [from, to] }) {
  if (dtype !== "F16") throw new TypeError(`a tensor is ${dtype}, and only F16 is known here`);
  const bits = new Uint16Array(buffer.slice(start + from, start + to));
  if (bits.length !== shape.reduce((count, n) => count * n, 1)) throw new RangeError("its end is missing");
  return { shape, values: Float32Array.from(bits, fromHalf) };
}

/** The number that 16 bits mean: a sign, 5 bits of exponent, 10 of fraction (IEEE 754). */
export function fromHalf(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24);
}
