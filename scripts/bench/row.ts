/** What is measured: a row, the programs that do its job, and Talk's targets against them. */

/** A running program that does a row's job. */
export interface Side {
  /** "talk", "bare", or the library it uses. */
  name: string;
  /** Takes one sample, in the row's unit. @param seconds its length, if that can be chosen */
  sample(seconds: number): Promise<number>;
  /** The process under load, whose CPU time is measured. */
  pid?: number | undefined;
  close(): Promise<void>;
}

/** The least ratio of Talk's median to a rival's; the most, if less is better. */
export interface Target {
  rival: string;
  ratio: number;
}

export interface Row {
  name: string;
  title: string;
  unit: string;
  better: "more" | "less";
  targets: Target[];
  /** Warms up each side until two samples agree. @default false: takes one sample */
  untilSteady?: boolean;
  /** Starts the sides, Talk first. @throws NotMeasured */
  open(): Promise<Side[]>;
}

/** Something the row needs is missing; the message says what. */
export class NotMeasured extends Error {}
