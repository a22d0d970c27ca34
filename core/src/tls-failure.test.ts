import { expect } from 'chai';
import { ConnectorError } from './errors.js';
import { tlsFailureOf } from './tls-failure.js';

const failed = (code: string, more: object = {}): Error => Object.assign(new Error(code), { code, ...more });

describe('a failure of TLS', () => {
  for (const [code, fault, flag] of [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'untrusted', '--ca FILE'],
    ['CERT_HAS_EXPIRED', 'invalid', '--insecure'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'wrong-name', '--servername NAME'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'unwelcome', '--cert FILE and --key FILE'],
    ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'unwelcome', '--cert FILE and --key FILE'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'no-tls', 'tcp://'],
  ] as const) {
    it(`${code} is one of ${fault}, and says what to type`, () => {
      const failure = tlsFailureOf(failed(code), 'tcp');
      expect(failure).to.include({ fault });
      expect(failure!.hint).to.include(flag);
    });
  }

  it('is found below errors that were made of it', () => {
    const cause = new AggregateError([failed('CERT_HAS_EXPIRED')]);
    const error = new ConnectorError('MCPC_CONNECT', 'x', { cause });
    expect(tlsFailureOf(error, 'http')).to.include({ fault: 'invalid' });
  });

  it('is nothing that may heal by waiting', () => {
    for (const code of [
      'ECONNREFUSED',
      'ENOTFOUND',
      'ECONNRESET',
      'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
      'toString',
    ])
      expect(tlsFailureOf(failed(code), 'http'), code).to.equal(undefined);
    expect(tlsFailureOf(undefined, 'http')).to.equal(undefined);
  });
});
