/**
 * A storage service of our own: an HTTP server with the multipart upload of S3. What it is given is
 * kept in memory; an object is there when its upload was completed, and not before.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

/** As with S3, only the last part may be smaller. */
const smallestPart = 5 * 2 ** 20;
const mostParts = 10_000;

/** @typedef {{ key: string, parts: Map<number, { bytes: Buffer, etag: string }> }} Upload */

/** An answer that is no success, in the words of S3. */
class Refusal extends Error {
  /** @param {number} status @param {string} code */
  constructor(status, code) {
    super(code);
    this.status = status;
  }
}

/** @param {string | Buffer} bytes */
const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

/** @param {AsyncIterable<Buffer>} request */
async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export class Storage {
  /** What can be downloaded, by its key. @type {Map<string, Buffer>} */
  objects = new Map();
  /** What was begun and neither completed nor aborted. @type {Map<string, Upload>} */
  uploads = new Map();

  #server = createServer((request, response) => {
    this.#answer(request).then(
      ({ status = 200, headers = {}, body = '' }) => response.writeHead(status, headers).end(body),
      (error) => {
        const status = error instanceof Refusal ? error.status : 500;
        response.writeHead(status).end(`<Error><Code>${error.message}</Code></Error>`);
      },
    );
  });

  /** @returns {Promise<string>} the address, without a slash at its end */
  async listen() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `http://127.0.0.1:${address.port}`;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @returns {Promise<{ status?: number, headers?: Record<string, string>, body?: string | Buffer }>}
   */
  async #answer(request) {
    const url = new URL(request.url ?? '/', 'http://storage');
    const key = url.pathname.slice(1);
    const id = url.searchParams.get('uploadId');
    const body = await bodyOf(request);
    if (request.method === 'GET') {
      const object = this.objects.get(key);
      if (!object) throw new Refusal(404, 'NoSuchKey');
      return { body: object };
    }
    if (request.method === 'POST' && url.searchParams.has('uploads')) {
      return { body: `<UploadId>${this.#initiate(key)}</UploadId>` };
    }
    const upload = this.uploads.get(id ?? '');
    if (id === null || upload?.key !== key) throw new Refusal(404, 'NoSuchUpload');
    if (request.method === 'PUT') {
      const etag = this.#keepPart(upload, Number(url.searchParams.get('partNumber')), body);
      return { headers: { etag } };
    }
    if (request.method === 'POST') {
      return { body: `<ETag>${this.#complete(id, upload, body.toString())}</ETag>` };
    }
    if (request.method !== 'DELETE') throw new Refusal(405, 'MethodNotAllowed');
    this.uploads.delete(id);
    return { status: 204 };
  }

  /** @param {string} key */
  #initiate(key) {
    const id = randomUUID();
    this.uploads.set(id, { key, parts: new Map() });
    return id;
  }

  /** @param {Upload} upload @param {number} number @param {Buffer} bytes */
  #keepPart({ parts }, number, bytes) {
    if (!Number.isInteger(number) || number < 1 || number > mostParts) {
      throw new Refusal(400, 'InvalidArgument');
    }
    const etag = `"${md5(bytes)}"`;
    parts.set(number, { bytes, etag });
    return etag;
  }

  /** @param {string} id @param {Upload} upload @param {string} list of the parts, as XML */
  #complete(id, { key, parts }, list) {
    const named = [...list.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g)];
    const chosen = named.map(([, number, etag]) => {
      const part = parts.get(Number(number));
      if (part?.etag !== etag) throw new Refusal(400, 'InvalidPart');
      return part;
    });
    if (chosen.length === 0) throw new Refusal(400, 'MalformedXML');
    if (chosen.slice(0, -1).some(({ bytes }) => bytes.length < smallestPart)) {
      throw new Refusal(400, 'EntityTooSmall');
    }
    this.objects.set(key, Buffer.concat(chosen.map(({ bytes }) => bytes)));
    this.uploads.delete(id);
    const sums = chosen.map(({ bytes }) => createHash('md5').update(bytes).digest());
    return `"${md5(Buffer.concat(sums))}-${chosen.length}"`;
  }
}
