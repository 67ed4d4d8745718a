/** The client's side of a multipart upload. */

/** @typedef {{ number: number, etag: string, bytes: number }} Part */

export class Upload {
  #url;
  #id;

  /** @param {string} url of the object @param {string} id */
  constructor(url, id) {
    this.#url = url;
    this.#id = id;
  }

  /** @param {string} url of the object that is to come */
  static async initiate(url) {
    const answer = await request(`${url}?uploads`, { method: 'POST' });
    const [, id = ''] = /<UploadId>([^<]+)</.exec(await answer.text()) ?? [];
    return new Upload(url, id);
  }

  /**
   * Sends one part. Parts may be sent in any order and several at a time.
   * @param {{ number: number, bytes: Uint8Array<ArrayBuffer> }} part counted from 1
   * @param {{ signal: AbortSignal }} options
   * @returns {Promise<Part>}
   */
  async part({ number, bytes }, { signal }) {
    const url = `${this.#url}?partNumber=${number}&uploadId=${this.#id}`;
    const answer = await request(url, { method: 'PUT', body: bytes, signal });
    return { number, bytes: bytes.length, etag: answer.headers.get('etag') ?? '' };
  }

  /** Makes one object of the parts. @param {Part[]} parts in order */
  async complete(parts) {
    const list = parts.map(
      ({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`,
    );
    const body = `<CompleteMultipartUpload>${list.join('')}</CompleteMultipartUpload>`;
    await request(`${this.#url}?uploadId=${this.#id}`, { method: 'POST', body });
  }

  /** Throws away what was uploaded so far. */
  async abort() {
    await request(`${this.#url}?uploadId=${this.#id}`, { method: 'DELETE' });
  }
}

/** @param {string} url @param {RequestInit} options */
async function request(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) {
    throw new Error(`${options.method} ${url}: ${answer.status} ${await answer.text()}`);
  }
  return answer;
}
