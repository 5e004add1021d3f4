/**
 * One watched query: its state, its listeners, and the watch behind it. Guarantees that `state` is replaced as a whole, that
 * `data` is a new array only when there is something new to tell, and that nothing is told after `close()`.
 */
import type { Calls } from '../calls';
import type { Database } from '../database';
import { checkParameters } from '../parameters';
import type { SqlParameter } from '../parameters';
import { createObservers } from './observers';
import type {
  WatchCompatibleQuery, WatchedQuery, WatchedQueryDifferential, WatchedQueryListener, WatchedQueryOptions,
  WatchedQueryState,
} from './types';
import { checkWatchOptions, defaultThrottleMs } from './watchOptions';
import { applyTaken, sameRows, type Taken, type Watches } from './watches';

/** What watched queries need of their database. */
export type LiveContext = {
  readonly calls: Calls;
  readonly watches: Watches;
  readonly database: () => Database;
  /** Called when the database is closed. Answers the function that ends the registration. */
  readonly onClose: (close: () => void) => () => void;
};

/** Decides what of a result is new: null if nothing is. `previous` is undefined for the first result. */
export type Judge<RowType, Settings> = (
  next: RowType[],
  previous: readonly RowType[] | undefined,
  settings: Settings
) => { data: readonly RowType[]; diff: WatchedQueryDifferential<RowType> | null } | null;

type Settings<RowType> = WatchedQueryOptions & { query: WatchCompatibleQuery<RowType[]> };

/** Marks queries whose rows are those of the SQL statement; made by `db.query`. */
export const plainRows = Symbol('plain rows');

/** Where the rows of a query come from. */
type RowSource<RowType> =
  | { readonly from: 'statement' }
  | { readonly from: 'mapper'; readonly make: (row: object) => RowType }
  | { readonly from: 'execute' };

function rowSource<RowType>(query: WatchCompatibleQuery<RowType[]>): RowSource<RowType> {
  const { mapper } = query as { mapper?: unknown };
  if (typeof mapper === 'function') {
    return { from: 'mapper', make: mapper as (row: object) => RowType };
  }
  // What @powersync/react makes of SQL text has this property; its execute() is getAll() of that text.
  return { from: plainRows in query || 'stringifiedParameters' in query ? 'statement' : 'execute' };
}

function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

export function createWatchedQuery<
  RowType,
  Given extends Settings<RowType>,
  Listener extends WatchedQueryListener<readonly Readonly<RowType>[]>,
>(
  context: LiveContext,
  given: Given,
  placeholder: readonly RowType[],
  judge: Judge<RowType, Given>
): WatchedQuery<readonly Readonly<RowType>[], Given, Listener> {
  type State = WatchedQueryState<readonly RowType[]>;
  const { watches, database } = context;
  const observers = createObservers<WatchedQueryListener<readonly RowType[]> & { onDiff?: unknown }>();
  let settings = given;
  let closed = false;
  /** Counts the watches; what belongs to an older one is not heard. */
  let link = 0;
  let stop = (): void => undefined;
  /** The last result told; undefined before the first. */
  let told: readonly RowType[] | undefined;
  const reports = (): boolean => settings.reportFetching ?? true;
  let state: State = Object.freeze({
    isLoading: true,
    isFetching: reports(),
    error: null,
    lastUpdated: null,
    data: placeholder,
  });

  const update = (change: Partial<State>, diff: WatchedQueryDifferential<RowType> | null = null): void => {
    state = Object.freeze({ ...state, ...change });
    const { error, data } = change;
    if (error !== undefined && error !== null) {
      observers.tell('onError', error);
    }
    if (data !== undefined) {
      if (diff !== null) {
        observers.tell('onDiff', diff);
      }
      observers.tell('onData', data);
    }
    observers.tell('onStateChange', state);
  };
  const settle = (change: Partial<State>, diff: WatchedQueryDifferential<RowType> | null = null): void => {
    const calm = !state.isLoading && !state.isFetching && state.error === null;
    if (!calm || Object.keys(change).length > 0) {
      update({ isLoading: false, isFetching: false, error: null, ...change }, diff);
    }
  };
  const fail = (thrown: unknown): void => {
    settle({ error: errorOf(thrown) });
  };
  const receive = (next: RowType[]): void => {
    if (told !== undefined && sameRows(next, told)) {
      settle({});
      return;
    }
    let news: ReturnType<typeof judge>;
    try {
      news = judge(next, told, settings);
    } catch (thrown) {
      fail(thrown);
      return;
    }
    if (news === null) {
      settle({});
    } else {
      told = news.data;
      settle({ data: news.data, lastUpdated: new Date() }, news.diff);
    }
  };

  /** For rows of the statement itself, as they are or mapped. Keeps them: the mapper may fail now and not the next time. */
  const statementSink = (make: ((row: object) => RowType) | null) => {
    let raw: object[] = [];
    let made = new Map<object, RowType>();
    return (taken: Taken | null): void => {
      if (taken === null) {
        settle({});
        return;
      }
      raw = applyTaken(raw, taken);
      if (make === null) {
        receive(raw as RowType[]);
        return;
      }
      const before = made;
      const now = new Map<object, RowType>();
      let rows: RowType[];
      try {
        rows = raw.map((row) => {
          const known = before.get(row);
          const item = known === undefined && !before.has(row) ? make(row) : (known as RowType);
          now.set(row, item);
          return item;
        });
      } catch (thrown) {
        fail(thrown);
        return;
      }
      made = now;
      receive(rows);
    };
  };
  /** For rows that only the query itself can make: the watch says when. */
  const executingSink = (mine: number, sql: string, parameters: SqlParameter[]) => {
    let running = false;
    let again = false;
    const { query } = settings;
    const execute = async (): Promise<void> => {
      running = true;
      try {
        do {
          again = false;
          if (reports() && !state.isFetching) {
            update({ isFetching: true });
          }
          const rows = await query.execute({ sql, parameters, db: database() });
          if (mine === link && !closed) {
            receive(rows);
          }
          // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set while this waited
        } while (again && mine === link && !closed);
      } catch (thrown) {
        if (mine === link && !closed) {
          fail(thrown);
        }
      } finally {
        running = false;
      }
    };
    return (): void => {
      if (running) {
        again = true;
      } else {
        void execute();
      }
    };
  };

  const begin = (): void => {
    stop();
    link += 1;
    const mine = link;
    const isMine = (): boolean => mine === link && !closed;
    try {
      const { sql, parameters } = settings.query.compile();
      const values = [...checkParameters(parameters)];
      const source = rowSource(settings.query);
      const changed =
        source.from === 'execute'
          ? executingSink(mine, sql, values)
          : statementSink(source.from === 'mapper' ? source.make : null);
      const request = {
        sql,
        parameters: values,
        throttleMs: settings.throttleMs ?? defaultThrottleMs,
        tables: settings.triggerOnTables ?? null,
      };
      stop = watches.start(request, {
        changed: (taken) => {
          if (isMine()) {
            changed(taken);
          }
        },
        failed: (error) => {
          if (isMine()) {
            fail(error);
          }
        },
      });
    } catch (thrown) {
      stop = () => undefined;
      fail(thrown);
    }
  };
  const close = (): void => {
    if (!closed) {
      closed = true;
      stop();
      forget();
      observers.tell('closed');
      observers.clear();
    }
  };
  const forget = context.onClose(close);
  begin();

  return {
    get state() {
      return state;
    },
    get closed() {
      return closed;
    },
    listenerMeta: observers.meta,
    registerListener: (listener) => (closed ? () => undefined : observers.add(listener)),
    updateSettings: async (change) => {
      checkWatchOptions('updateSettings', change);
      // Components call this while they render; nothing may be told before they have.
      await Promise.resolve();
      if (closed) {
        return;
      }
      const known = Object.entries(change).filter(([, value]) => value !== undefined);
      settings = { ...settings, ...Object.fromEntries(known) };
      if (reports() && !state.isFetching) {
        update({ isFetching: true });
      }
      observers.tell('settingsWillUpdate');
      begin();
    },
    close: () => {
      close();
      return Promise.resolve();
    },
  };
}
