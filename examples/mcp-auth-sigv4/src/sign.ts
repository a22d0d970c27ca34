import { createHash, createHmac } from 'node:crypto';
import type { WebRequest } from '@mcp-connect/core';

/** What a signature is made with. */
export interface SigningKey {
  readonly region: string;
  readonly service: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly date: Date;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Header fields that are signed beside `host` and those of AWS: nothing on the way has a reason to change them. */
const SIGNED = /^(content-type$|x-amz-|mcp-)/;

/** Returns the header fields that sign a request (AWS Signature Version 4, Create a signed AWS API request). */
export function signatureOf(request: WebRequest, key: SigningKey): Record<string, string> {
  const time = key.date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const added = {
    'x-amz-date': time,
    ...(key.sessionToken !== undefined && { 'x-amz-security-token': key.sessionToken }),
  };
  const headers = headersToSign({ ...request.headers, ...added, host: request.url.host });
  const names = headers.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    pathOf(request.url),
    queryOf(request.url),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    hash(request.body ?? ''),
  ].join('\n');
  const scope = [time.slice(0, 8), key.region, key.service, 'aws4_request'];
  const text = [ALGORITHM, time, scope.join('/'), hash(canonical)].join('\n');
  const signing = scope.reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${key.secretAccessKey}`,
  );
  const signature = hmac(signing, text).toString('hex');
  const credential = `${key.accessKeyId}/${scope.join('/')}`;
  return {
    ...added,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function headersToSign(headers: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(headers)
    .filter(([name]) => name === 'host' || SIGNED.test(name))
    .map(([name, value]): [string, string] => [name, value.trim().replaceAll(/ +/g, ' ')])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The path, encoded once more than in the address: all services but S3 ask for that. */
function pathOf({ pathname }: URL): string {
  return pathname.split('/').map(encoded).join('/');
}

function queryOf({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
}

function encoded(text: string): string {
  const rest = /[!'()*]/g;
  return encodeURIComponent(text).replaceAll(rest, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hash(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
