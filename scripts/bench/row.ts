/** What is measured: a row, the programs that do its job, and how good Talk shall be beside them. */

/** One program that does a row's job, running. */
export interface Side {
  /** "talk", "bare", or what it is made with. */
  name: string;
  /** Measures once, in the row's unit. @param seconds how long, where that is for us to choose */
  sample(seconds: number): Promise<number>;
  /** Of the process under load, so that its use of the processor can be told. */
  pid?: number | undefined;
  close(): Promise<void>;
}

/** Talk's median against a rival's: at least that often as much, or, where less is better, at most. */
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
  /** Warms each side up until two samples agree. @default false: one sample does */
  untilSteady?: boolean;
  /** Starts the sides, Talk first. @throws NotMeasured */
  open(): Promise<Side[]>;
}

/** Something that the row needs is not there; the message says what. */
export class NotMeasured extends Error {}
