using System.Diagnostics;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// The log behind a position, taken off the connection row by row as the caller asks: nothing is kept in memory, and while he works on a row the
/// server is ahead by what the sockets hold.
/// <code>
///   mark ──> page: one statement, one snapshot ──row, row, row──> caller ──> next page ...
///                     └── caller away for long: the guard ends the page and gives the connection back; he goes on with a new one
/// </code>
/// </summary>
/// <param name="Mark">Up to where the log is decided; asked once for each way through.</param>
internal sealed record LogScan(
    ReadConnections Readers, string Sql, Func<CancellationToken, ValueTask<long>> Mark, TimeProvider Clock, long After, int MaxCount, CancellationToken Token)
    : IAsyncEnumerable<RecordedEvent>
{
    /// <summary>No page is open longer than two of these: an old snapshot keeps dead rows alive, and others want the connection.</summary>
    internal static readonly TimeSpan GuardInterval = TimeSpan.FromSeconds(1);

    // A look at a few events reads few; a long scan hardly notices where its pages end.
    private const int FirstPageSize = 500;
    private const int MinPageSize = 100;
    private const int MaxPageSize = 128_000;
    private const int Growth = 4;

    /// <summary>Payload that a page is meant to have: whoever stops half-way has the rest of it thrown away.</summary>
    private const long PageBytes = 64 * 1024 * 1024;

    // A page ends before the guard would: at the pace that its reader kept on the one before.
    private static readonly TimeSpan PageTime = GuardInterval / 2;

    public IAsyncEnumerator<RecordedEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) => new Cursor(this, cancellationToken);

    /// <summary>One way through the log, of one caller at a time. <see cref="_owner"/> says who may touch the page: the caller in MoveNextAsync, or the guard between two of them.</summary>
    private sealed class Cursor : IAsyncEnumerator<RecordedEvent>
    {
        private const int Nobody = 0;
        private const int Caller = 1;
        private const int Guard = 2;

        private readonly LogScan _scan;
        private readonly CancellationTokenSource? _either;
        private readonly CancellationToken _ct;
        private readonly ITimer _guard;
        private int _owner;

        // All owned by _owner.
        private Page? _page;
        private RecordedEvent? _current;
        private long _after;
        private int _left;
        private long? _mark;
        private int _size = FirstPageSize;

        public Cursor(LogScan scan, CancellationToken other)
        {
            (_scan, _after, _left) = (scan, scan.After, scan.MaxCount);
            _either = scan.Token.CanBeCanceled && other.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(scan.Token, other) : null;
            _ct = _either?.Token ?? (other.CanBeCanceled ? other : scan.Token);
            _guard = scan.Clock.CreateTimer(static cursor => ((Cursor?)cursor)?.Look(), this, GuardInterval, GuardInterval);
        }

        public RecordedEvent Current => _current ?? throw new InvalidOperationException("There is no event before the first MoveNextAsync.");

        public ValueTask<bool> MoveNextAsync()
        {
            if (Interlocked.CompareExchange(ref _owner, Caller, Nobody) != Nobody || _page is not { } page) return NextPageAsync();
            while (true)
            {
                var coming = page.Rows.ReadAsync(_ct);
                if (!coming.IsCompletedSuccessfully || !coming.Result) return RestAsync(page, coming);
                if (TryTake(page)) return new ValueTask<bool>(true);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _guard.DisposeAsync().ConfigureAwait(false);
            await OwnAsync().ConfigureAwait(false);
            if (_page is { } page) await CloseAsync(page).ConfigureAwait(false);
            _either?.Dispose();
        }

        /// <summary>False for a tombstone: the caller of this goes on.</summary>
        private bool TryTake(Page page)
        {
            var recorded = page.Take();
            _after = recorded.Position;
            if (recorded.EventType == EventRows.Tombstone) return false;
            (_current, _left) = (recorded, _left - 1);
            Volatile.Write(ref _owner, Nobody);
            return true;
        }

        private async ValueTask<bool> RestAsync(Page page, Task<bool> coming)
        {
            try
            {
                for (; await coming.ConfigureAwait(false); coming = page.Rows.ReadAsync(_ct))
                {
                    if (TryTake(page)) return true;
                }
            }
            catch (Exception lost) when (page.IsKept && !_ct.IsCancellationRequested && Failures.IsConnectionLost(lost))
            {
                // The server closed a connection that had been idle; what is missing is read on another.
                await CloseAsync(page).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return await NextPageAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (Failures.Translate(failure) is { } typed)
            {
                throw typed;
            }
            var isLast = page.Count < page.Size;
            _size = page.NextSize(_scan.Clock.GetElapsedTime(page.OpenedAt));
            await CloseAsync(page).ConfigureAwait(false);
            if (isLast) _left = 0;
            return await NextPageAsync().ConfigureAwait(false);
        }

        private async ValueTask<bool> NextPageAsync()
        {
            await OwnAsync().ConfigureAwait(false);
            if (_page is { } broken) await CloseAsync(broken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _mark ??= await _scan.Mark(_ct).ConfigureAwait(false);
            if (_left <= 0 || _after >= _mark)
            {
                Volatile.Write(ref _owner, Nobody);
                return false;
            }
            var page = _page = await Failures.GuardAsync(() => OpenAsync(_mark.Value, Math.Min(_left, _size))).ConfigureAwait(false);
            return await RestAsync(page, page.Rows.ReadAsync(_ct)).ConfigureAwait(false);
        }

        private async ValueTask<Page> OpenAsync(long mark, int size)
        {
            while (true)
            {
                var (connection, isKept) = await _scan.Readers.TakeAsync(_ct).ConfigureAwait(false);
                try
                {
                    var activity = StoreTelemetry.TraceRead();
                    var command = await connection.CommandAsync(_scan.Sql, _ct, _after, mark, size).ConfigureAwait(false);
                    return new Page(connection, isKept, await command.ExecuteReaderAsync(_ct).ConfigureAwait(false), size, _scan.Clock.GetTimestamp(), activity);
                }
                catch (Exception failure)
                {
                    var isDead = isKept && !connection.IsOpen;
                    await _scan.Readers.GiveBackAsync(connection).ConfigureAwait(false);
                    // As often as connections are kept at most: a fresh one that fails is the answer.
                    if (!isDead || _ct.IsCancellationRequested || !Failures.IsConnectionLost(failure)) throw;
                }
            }
        }

        /// <summary>Quiet when the caller has it already; waits while the guard ends the page.</summary>
        private async ValueTask OwnAsync()
        {
            while (Interlocked.CompareExchange(ref _owner, Caller, Nobody) == Guard)
            {
                // Without a page the guard is about to let go.
                if (Volatile.Read(ref _page) is { } page) await page.Guarded.Task.ConfigureAwait(false);
                else await Task.Yield();
            }
        }

        private Task CloseAsync(Page page)
        {
            _page = null;
            return page.EndAsync(_scan.Readers);
        }

        private void Look()
        {
            if (Volatile.Read(ref _page) is not { } page || _scan.Clock.GetElapsedTime(page.OpenedAt) < GuardInterval) return;
            if (Interlocked.CompareExchange(ref _owner, Guard, Nobody) != Nobody) return;
            // The caller may have gone on to another page since the look at the clock: whichever is open now is ended, and he goes on with a new one.
            if (_page is { } held) _ = EndHeldAsync(held);
            else Volatile.Write(ref _owner, Nobody);
        }

        private async Task EndHeldAsync(Page page)
        {
            // Whatever the connection says: what is missing is read on another.
            await page.EndAsync(_scan.Readers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _page = null;
            Volatile.Write(ref _owner, Nobody);
            page.Guarded.SetResult();
        }
    }

    /// <summary>The rows of one statement and the connection that they come over.</summary>
    private sealed class Page(ReadConnection connection, bool isKept, NpgsqlDataReader rows, int size, long openedAt, Activity? activity)
    {
        private readonly EventRows _events = new(rows);
        private long _bytes;

        public NpgsqlDataReader Rows => rows;

        public bool IsKept => isKept;

        public int Size => size;

        public long OpenedAt => openedAt;

        public int Count { get; private set; }

        /// <summary>Done when the guard has ended the page and let go.</summary>
        public TaskCompletionSource Guarded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public RecordedEvent Take()
        {
            var recorded = _events.Read();
            (Count, _bytes) = (Count + 1, _bytes + recorded.Json.Length);
            return recorded;
        }

        /// <param name="took">How long this one was open.</param>
        public int NextSize(TimeSpan took)
        {
            var inBytes = PageBytes * Count / Math.Max(1, _bytes);
            var inTime = PageTime.Ticks * Count / Math.Max(1, took.Ticks);
            return (int)Math.Min(Math.Clamp(Math.Min(inBytes, inTime), MinPageSize, MaxPageSize), (long)size * Growth);
        }

        public async Task EndAsync(ReadConnections readers)
        {
            try
            {
                await rows.DisposeAsync().ConfigureAwait(false);
            }
            finally
            {
                activity?.Dispose();
                StoreTelemetry.Read(Count);
                await readers.GiveBackAsync(connection).ConfigureAwait(false);
            }
        }
    }
}
