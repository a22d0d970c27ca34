import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** The user's keychain: secrets by name, guarded by the operating system. */
export interface Keychain {
  /** @throws when the keychain cannot be reached or is locked */
  read(name: string): string | undefined;
  /** @throws when the keychain cannot be reached or is locked */
  write(name: string, secret: string): void;
}

/** The part of `@napi-rs/keyring` that is used. */
interface KeyringModule {
  readonly Entry: new (
    service: string,
    name: string,
  ) => { getPassword(): string | null; setPassword(secret: string): void };
}

const SERVICE = 'mcp-connect';
const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Opens the operating system's keychain, or returns undefined where `@napi-rs/keyring` is not installed. */
export async function openKeychain(): Promise<Keychain | undefined> {
  // An optional peer: the name is a variable so that neither compiler nor bundler insists on it.
  const name: string = '@napi-rs/keyring';
  let keyring: KeyringModule;
  try {
    keyring = (await import(name)) as KeyringModule;
  } catch {
    return undefined;
  }
  return {
    read: (entry) => new keyring.Entry(SERVICE, entry).getPassword() ?? undefined,
    write: (entry, secret) => new keyring.Entry(SERVICE, entry).setPassword(secret),
  };
}

/** Makes a key for {@link seal}, as text for a keychain. */
export function makeKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}

/**
 * Encrypts a text with a key of the keychain. Only the key is kept there: keychains limit the size of a secret, and
 * sign-ins outgrow it.
 */
export function seal(text: string, key: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, Buffer.from(key, 'base64'), nonce);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/**
 * Decrypts what {@link seal} made.
 *
 * @throws when the key is another one or the text was changed
 */
export function unseal(sealed: string, key: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(CIPHER, Buffer.from(key, 'base64'), bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  const text = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([text, decipher.final()]).toString('utf8');
}
