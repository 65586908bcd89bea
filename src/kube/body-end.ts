/** The end of a body of any length, in bounded memory. */

export interface BodyEnd {
  readonly bytes: Buffer;
  /** Of the whole body. */
  readonly bytesSeen: number;
}

export async function readEnd(body: AsyncIterable<Buffer>, bytesMax: number): Promise<BodyEnd> {
  let chunks: Buffer[] = [];
  let kept = 0;
  let bytesSeen = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    kept += chunk.length;
    bytesSeen += chunk.length;
    // Joined rarely: not for each chunk once there is enough.
    if (kept < 2 * bytesMax) continue;
    const end = endOf(chunks, bytesMax);
    chunks = [end];
    kept = end.length;
  }
  return { bytes: endOf(chunks, bytesMax), bytesSeen };
}

function endOf(chunks: readonly Buffer[], bytesMax: number): Buffer {
  const all = Buffer.concat(chunks);
  return all.length <= bytesMax ? all : all.subarray(-bytesMax);
}
