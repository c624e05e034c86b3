using System.Net;
using Microsoft.Extensions.Logging;
using Sentiric.Sip;

namespace Sentiric.Benchmarks.Sip;

/// <summary>Time that passes when it is told to; one driver.</summary>
public sealed class SteppedTime : TimeProvider
{
    private readonly List<Alarm> alarms = [];
    private long ticks = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref ticks);

    public override DateTimeOffset GetUtcNow() => new(GetTimestamp(), TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, callback, state);
        alarm.Change(dueTime, period);
        lock (alarms) alarms.Add(alarm);
        return alarm;
    }

    public void Pass(TimeSpan by)
    {
        var end = GetTimestamp() + by.Ticks;
        while (Next(end) is { } alarm) alarm.Ring();
        Volatile.Write(ref ticks, end);
    }

    private Alarm? Next(long end)
    {
        lock (alarms)
        {
            var next = alarms.Where(one => one.At <= end).MinBy(one => one.At);
            if (next is not null)
            {
                Volatile.Write(ref ticks, Math.Max(ticks, next.At));
                next.At = long.MaxValue;
            }
            return next;
        }
    }

    private sealed class Alarm(SteppedTime time, TimerCallback callback, object? state) : ITimer
    {
        public long At { get; set; } = long.MaxValue;

        public void Ring() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.alarms) At = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + dueTime.Ticks;
            return true;
        }

        public void Dispose()
        {
            lock (time.alarms) time.alarms.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>A network with one endpoint on it: what it sends is told to whoever listens, and goes nowhere.</summary>
public sealed class SinkNetwork : ISipNetwork
{
    private static readonly IPEndPoint Peer = new(IPAddress.Parse("192.0.2.10"), 5060);
    private readonly Socketless transport = new();
    private ISipTransportSink? sink;

    public long Sent => transport.Sent;

    /// <summary>Called with every message on its way out, on the thread that sends it.</summary>
    public Action<ReadOnlyMemory<byte>>? Leaving
    {
        set => transport.Leaving = value;
    }

    public ISipTransport Open(SipListen listen, ISipTransportSink receives, TimeProvider time)
    {
        sink = receives;
        return transport;
    }

    public void Deliver(ReadOnlySpan<byte> message) => sink?.Received(transport, Peer, message);

    private sealed class Socketless : ISipTransport
    {
        private long sent;

        public SipTransportKind Kind => SipTransportKind.Udp;

        public IPEndPoint LocalEndPoint { get; } = new(IPAddress.Parse("192.0.2.1"), 5060);

        public long Sent => Volatile.Read(ref sent);

        public Action<ReadOnlyMemory<byte>>? Leaving { get; set; }

        public bool IsConnected(IPEndPoint remote) => true;

        public void Send(ReadOnlyMemory<byte> message, IPEndPoint remote, string? host, Action<string>? failed)
        {
            Interlocked.Increment(ref sent);
            Leaving?.Invoke(message);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Counts what the stack caught at its outermost boundary and logged as an error: it must not have been thrown either.</summary>
public sealed class FaultCounter : ILogger
{
    private long count;

    public long Count => Volatile.Read(ref count);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (logLevel >= LogLevel.Error) Interlocked.Increment(ref count);
    }
}
