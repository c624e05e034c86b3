using StackExchange.Redis;

namespace Sentiric.Dialogue;

/// <summary>A connection to Redis that is made on first use and again after every loss. A question waits two seconds at most. Thread-safe.</summary>
/// <param name="configuration">"host:port,password=...", as StackExchange.Redis reads it.</param>
public sealed class RedisLink(string configuration) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ConfigurationOptions _options = Options(configuration);
    private readonly SemaphoreSlim _connecting = new(1, 1);
    private ConnectionMultiplexer? _connection;

    /// <summary>Fails with what <see cref="IsOutage"/> knows when Redis does not answer.</summary>
    public async Task<T> AskAsync<T>(Func<IDatabase, Task<T>> question, CancellationToken ct)
    {
        var connection = await ConnectAsync(ct).ConfigureAwait(false);
        return await question(connection.GetDatabase()).WaitAsync(Patience, ct).ConfigureAwait(false);
    }

    public static bool IsOutage(Exception e) => e is RedisException or TimeoutException or ObjectDisposedException;

    public void Dispose()
    {
        _connection?.Dispose();
        _connecting.Dispose();
    }

    private static ConfigurationOptions Options(string configuration)
    {
        var options = ConfigurationOptions.Parse(configuration);
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = (int)Patience.TotalMilliseconds;
        options.SyncTimeout = (int)Patience.TotalMilliseconds;
        return options;
    }

    private async Task<ConnectionMultiplexer> ConnectAsync(CancellationToken ct)
    {
        if (_connection is { } connected)
        {
            return connected;
        }

        await _connecting.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            // The multiplexer reconnects by itself from here on.
            return _connection ??= await ConnectionMultiplexer.ConnectAsync(_options).WaitAsync(Patience + Patience, ct).ConfigureAwait(false);
        }
        finally
        {
            _connecting.Release();
        }
    }
}
