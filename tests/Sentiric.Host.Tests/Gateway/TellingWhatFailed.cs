using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Sentiric.EventStore;
using Sentiric.Host.Gateway;
using Sentiric.Host.Ports;
using Sentiric.Testing.Loopback;

namespace Sentiric.Host.Tests.Gateway;

/// <summary>An endpoint threw: what the client is told, and what the log says to whoever reads it at night.</summary>
public sealed class TellingWhatFailed : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text, Exception? Error)> _log = new();

    public static TheoryData<Exception, string> Absences => new()
    {
        { new EventStoreUnavailableException("The connection to PostgreSQL failed."), "store.unavailable" },
        { new EventStoreBusyException("No connection is free."), "store.unavailable" },
        { new NpgsqlException("Failed to connect to 127.0.0.1:1", new SocketException((int)SocketError.ConnectionRefused)), "store.unavailable" },
        { new NpgsqlException("The connection pool has been exhausted", new TimeoutException()), "store.unavailable" },
        { new PostgresException("terminating connection due to administrator command", "FATAL", "FATAL", PostgresErrorCodes.AdminShutdown), "store.unavailable" },
        { new ServiceUnavailableException("/internal/users answered 500"), "service.unavailable" },
    };

    [Theory]
    [MemberData(nameof(Absences))]
    public async Task What_lies_behind_and_is_away_is_503_and_one_warning(Exception away, string code)
    {
        var (status, problem) = await AskAsync(() => throw away);
        Assert.Equal((503, code), (status, problem.GetProperty("code").GetString()));
        var line = Assert.Single(_log, l => l.Level >= LogLevel.Warning);
        Assert.Equal((LogLevel.Warning, null), (line.Level, line.Error));
        Assert.Contains(code, line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bug_is_500_and_its_trace_id_stands_in_the_log()
    {
        var bug = new InvalidOperationException("a bug");
        var (status, problem) = await AskAsync(() => throw bug);
        Assert.Equal((500, "server.error"), (status, problem.GetProperty("code").GetString()));
        var line = Assert.Single(_log, l => l.Level >= LogLevel.Warning);
        Assert.Equal((LogLevel.Error, bug), (line.Level, line.Error));
        Assert.Contains(problem.GetProperty("trace_id").GetString()!, line.Text, StringComparison.Ordinal);
        Assert.Contains("/fails", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clients_mistake_is_400_and_nothing_in_the_log()
    {
        var (status, problem) = await AskAsync(() => throw new BadHttpRequestException("limit is no number"));
        Assert.Equal((400, "request.invalid"), (status, problem.GetProperty("code").GetString()));
        Assert.DoesNotContain(_log, l => l.Level >= LogLevel.Warning);
    }

    private async Task<(int Status, JsonElement Problem)> AskAsync(Func<string> answer)
    {
        await using var app = await LoopbackApp.StartAsync(
            app =>
            {
                app.UseProblems();
                app.UseRouting();
                app.MapGet("/v1/fails", answer);
            },
            services => services.AddSingleton<ILoggerProvider>(this));
        using var response = await app.Client.GetAsync("/v1/fails");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    ILogger ILoggerProvider.CreateLogger(string categoryName) => this;

    void IDisposable.Dispose()
    {
        // The host of a test disposes its providers; there is nothing to let go of.
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _log.Enqueue((logLevel, formatter(state, exception), exception));
}
