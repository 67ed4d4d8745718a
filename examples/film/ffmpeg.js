/** Finding ffmpeg, and running it beside us. */
import { spawn, spawnSync } from 'node:child_process';
import { Failure } from './failure.js';

const mostErrorText = 64 * 1024;

/**
 * The system's ffmpeg, else the one that comes as a development dependency.
 *
 * @returns {Promise<string>}
 */
export async function findFfmpeg() {
  if (spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0) return 'ffmpeg';
  const bundled = await import('@ffmpeg-installer/ffmpeg').then(
    (installer) => String(installer.default.path),
    () => undefined,
  );
  if (bundled && spawnSync(bundled, ['-version'], { stdio: 'ignore' }).status === 0) return bundled;
  throw new Failure(
    'There is no ffmpeg that runs here: install it (on Debian: apt install ffmpeg), or run npm ci.',
  );
}

/** A run of ffmpeg. What it says is kept, in case it fails. */
export class FfmpegRun {
  /**
   * @param {string} ffmpeg
   * @param {string[]} options
   * @param {{ input?: number | 'ignore', output?: number | 'ignore' }} descriptors
   */
  constructor(ffmpeg, options, { input = 'ignore', output = 'ignore' } = {}) {
    this.said = '';
    this.process = spawn(ffmpeg, ['-hide_banner', '-nostats', '-y', ...options], {
      stdio: [input, output, 'pipe'],
    });
    this.process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.said = (this.said + text).slice(-mostErrorText);
    });
    /** @type {Promise<boolean>} whether it ended well; never rejects */
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => {
        this.said += error.message;
        resolve(false);
      });
      this.process.once('close', (code, signal) => {
        if (signal) this.said += `\nit was ended by ${signal}`;
        resolve(code === 0);
      });
    });
  }

  /** The last thing it said, which is why it failed. @param {string} file not to be named again */
  reasonFor(file) {
    const last = this.said.trim().split('\n').at(-1)?.trim() || 'ffmpeg said nothing';
    return last.startsWith(`${file}: `) ? last.slice(file.length + 2) : last;
  }

  kill() {
    this.process.kill('SIGKILL');
  }
}

/** @param {string} ffmpeg @param {string} encoder */
export function hasEncoder(ffmpeg, encoder) {
  const answer = spawnSync(ffmpeg, ['-hide_banner', '-h', `encoder=${encoder}`], {
    encoding: 'utf8',
  });
  return answer.stdout.includes(`Encoder ${encoder}`);
}
