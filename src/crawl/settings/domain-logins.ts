/**
 * Logins to sites, by domain. Passwords are encrypted in the database, each for its domain and user; clients get them in clear.
 */
import { clone } from '@bufbuild/protobuf';
import type { ClassicLevel } from 'classic-level';
import type { SecretBox } from '../../auth/secret-box.ts';
import { Failure } from '../failure.ts';
import type { Logins } from '../jobs/types.ts';
import { DomainLoginSchema, DomainLoginUserSchema, type DomainLogin } from '../proto/starbelly_pb.ts';
import { ListChanges } from './list-changes.ts';
import { byText, Messages } from './messages.ts';

export class DomainLogins implements Logins {
  readonly changes = new ListChanges<DomainLogin>();
  readonly #messages: Messages<typeof DomainLoginSchema>;
  readonly #box: SecretBox;

  private constructor(messages: Messages<typeof DomainLoginSchema>, box: SecretBox) {
    this.#messages = messages;
    this.#box = box;
  }

  static async open(level: ClassicLevel, box: SecretBox): Promise<DomainLogins> {
    return new DomainLogins(await Messages.open(level, 'login', DomainLoginSchema), box);
  }

  /** By domain. @throws KeyFileError */
  list(): DomainLogin[] {
    return this.#messages
      .all()
      .sort(byText(({ domain }) => domain))
      .map((login) => this.#opened(login));
  }

  /** @throws Failure, KeyFileError */
  get(domain: string): DomainLogin {
    const login = this.loginOf(domain);
    if (login === undefined) throw new Failure(`No domain credentials found for domain=${domain}`);
    return login;
  }

  /** @throws KeyFileError */
  loginOf(domain: string): DomainLogin | undefined {
    const login = this.#messages.get(domain);
    return login && this.#opened(login);
  }

  /** New, or changed: what is absent of the two URLs stays, the users are those that are given. @throws Failure */
  async set(given: DomainLogin | undefined): Promise<void> {
    if (given === undefined || given.domain.trim() === '') throw new Failure('domain is required.');
    const before = this.#messages.get(given.domain);
    if (before === undefined && given.loginUrl === '') throw new Failure('login_url is required to create a domain login.');
    const login = this.#sealed(given);
    if (before !== undefined) {
      const { loginUrl, loginTest } = DomainLoginSchema.field;
      for (const { localName } of [loginUrl, loginTest])
        if (!Object.hasOwn(login, localName) && Object.hasOwn(before, localName))
          Reflect.set(login, localName, Reflect.get(before, localName));
    }
    await this.#messages.put(given.domain, login);
    this.changes.emit('change', before === undefined ? 'added' : 'updated', login);
  }

  /** One that is not there may be deleted, too. @throws Failure */
  async delete(domain: string): Promise<void> {
    if (domain.trim() === '') throw new Failure('domain is required.');
    const login = this.#messages.get(domain);
    if (login === undefined) return;
    await this.#messages.delete(domain);
    this.changes.emit('change', 'deleted', login);
  }

  #sealed(login: DomainLogin): DomainLogin {
    return this.#withPasswords(login, (name, password) => this.#box.seal(name, password));
  }

  #opened(login: DomainLogin): DomainLogin {
    return this.#withPasswords(login, (name, password) => this.#box.open(name, password));
  }

  #withPasswords(login: DomainLogin, change: (name: string, password: string) => string): DomainLogin {
    const copy = clone(DomainLoginSchema, login);
    copy.users = copy.users.map((user) => {
      if (Object.hasOwn(user, DomainLoginUserSchema.field.password.localName))
        user.password = change(`${login.domain}\n${user.username}`, user.password);
      return user;
    });
    return copy;
  }
}
