/** What a client asked for and cannot have: the message is the text of its response. Whatever else is thrown is a fault, told to the log only. */
export class Failure extends Error {
  override readonly name = 'Failure';
}
