using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Sentiric.EventStore;

/// <summary>
/// Wake-ups. Readers in this process are woken by a signal; those in other processes by NOTIFY on Marten's channel,
/// sent after the commit from a connection of its own and at most once per <see cref="NotifyInterval"/>:
/// inside the append transaction it would take a database-wide lock at each commit.
/// A lost wake-up costs one poll interval, never an event.
/// </summary>
internal sealed class ChangeFeed : IAsyncDisposable
{
    private const string ChannelName = "mt_events_appended";

    // A NOTIFY draws a transaction id, so its commit would be flushed like any other (source: backend/commands/async.c, PreCommit_Notify), and appends
    // would wait for that flush of nothing: at full speed two in a hundred of them. A wake-up that a crash of the server loses wakes nobody anyway.
    private const string Notify = $"select set_config('synchronous_commit', 'off', true), pg_notify('{ChannelName}', '')";

    private static readonly TimeSpan NotifyInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();

    // Holds at most the fact that somebody should be told.
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly bool _keepsConnection;
    private readonly Lazy<Task> _listening;
    private readonly Task _telling;

    public ChangeFeed(NpgsqlDataSource source, TimeProvider clock, ILogger logger)
    {
        (_source, _clock, _logger) = (source, clock, logger);
        _keepsConnection = PoolShare.Of(source, 1) > 0;
        _listening = new Lazy<Task>(() => Task.Run(ListenAsync));
        _telling = Task.Run(TellAsync);
    }

    public ChangeSignal Signal { get; } = new();

    public void StartListening() => _ = _listening.Value;

    public void Announce()
    {
        Signal.Pulse();
        _news.Writer.TryWrite(true);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _telling.ConfigureAwait(false);
        if (_listening.IsValueCreated) await _listening.Value.ConfigureAwait(false);
        _stop.Dispose();
    }

    /// <summary>Where the pool has room, on a connection that stays open with the statement prepared: appends share the server's cores with every wake-up.</summary>
    private Task TellAsync() => UntilStoppedAsync(async ct =>
    {
        await _news.Reader.WaitToReadAsync(ct).ConfigureAwait(false);
        await using (var connection = await _source.OpenOwnAsync(ct).ConfigureAwait(false))
        {
            await using var notify = new NpgsqlCommand(Notify, connection);
            if (_keepsConnection) await notify.PrepareAsync(ct).ConfigureAwait(false);
            do
            {
                await _news.Reader.ReadAsync(ct).ConfigureAwait(false);
                await notify.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
                if (_keepsConnection) await Task.Delay(NotifyInterval, _clock, ct).ConfigureAwait(false);
            }
            while (_keepsConnection);
        }
        await Task.Delay(NotifyInterval, _clock, ct).ConfigureAwait(false);
    }, LogMessages.NotifyFailed);

    private Task ListenAsync() => UntilStoppedAsync(async ct =>
    {
        await using var connection = await _source.OpenOwnAsync(ct).ConfigureAwait(false);
        connection.Notification += (_, _) => Signal.Pulse();
        await using var listen = new NpgsqlCommand($"listen {ChannelName}", connection);
        await listen.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        Signal.Pulse();
        while (true) await connection.WaitAsync(ct).ConfigureAwait(false);
    }, LogMessages.ListenerLost);

    private async Task UntilStoppedAsync(Func<CancellationToken, Task> turn, Action<ILogger, Exception> log)
    {
        var ct = _stop.Token;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await turn(ct).ConfigureAwait(false);
            }
            catch (Exception failure)
            {
                if (ct.IsCancellationRequested) return;
                log(_logger, failure);
                await Task.Delay(ReconnectDelay, _clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
