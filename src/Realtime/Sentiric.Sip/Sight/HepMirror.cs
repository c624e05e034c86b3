using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Sentiric.Sip;

/// <summary>A capture server (Homer, sngrep, heplify-server).</summary>
/// <param name="Host">Address or name; a name is looked up when the first message is to go, and again when sending failed.</param>
public sealed record HepOptions(string Host, int Port)
{
    public const int MaxPasswordBytes = 255;

    /// <summary>Names this process at the server.</summary>
    public uint CaptureId { get; init; }

    /// <summary>Sent with every packet, in clear; null: none.</summary>
    public string? Password { get; init; }
}

/// <summary>
/// Copies every traced message to a capture server as HEPv3 over UDP. <see cref="Mirror"/> only puts it into a bounded queue; one task sends. What does not
/// fit, cannot be sent or is too long for a datagram is dropped and counted: <c>sip.hep.sent</c> and <c>sip.hep.dropped</c> (by reason) of <see cref="MeterName"/>.
/// </summary>
public sealed partial class HepMirror : IAsyncDisposable
{
    public const string MeterName = "Sentiric.Sip.Hep";

    /// <summary>Messages that wait; at 10,000 messages a second 0.4 s of them.</summary>
    public const int MaxWaiting = 4_096;

    /// <summary>Bytes of the messages that wait: they are held as long.</summary>
    public const int MaxWaitingBytes = 16 * 1024 * 1024;

    /// <summary>After a failure nothing is tried for so long.</summary>
    public static readonly TimeSpan RestAfterFailure = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);
    private readonly Channel<SipTrace> queue = Channel.CreateBounded<SipTrace>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly byte[] packet = new byte[HepPacket.MaxBytes];
    private readonly HepOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> sent, dropped;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task sending;
    private int waitingBytes;
    private long sentCount, droppedCount;

    // Owned by the task that sends.
    private Socket? socket;
    private DateTimeOffset restsUntil = DateTimeOffset.MinValue;

    private HepMirror(HepOptions options, TimeProvider time, ILogger logger)
    {
        (this.options, this.time, this.logger) = (options, time, logger);
        sent = meter.CreateCounter<long>("sip.hep.sent", "{message}", "Messages that the capture server was sent.");
        dropped = meter.CreateCounter<long>("sip.hep.dropped", "{message}", "Messages that the capture server was not sent, by reason.");
        sending = Task.Run(SendAllAsync);
    }

    public long Sent => Volatile.Read(ref sentCount);

    public long Dropped => Volatile.Read(ref droppedCount);

    /// <summary>Starts to send; a server that is not there costs nothing but dropped messages.</summary>
    public static HepMirror Start(HepOptions options, TimeProvider time, ILogger logger) => new(options, time, logger);

    /// <summary>Returns at once, whatever the server does. From any thread.</summary>
    public void Mirror(SipTrace trace)
    {
        int bytes = trace.Message.Length;
        if (Interlocked.Add(ref waitingBytes, bytes) > MaxWaitingBytes || !queue.Writer.TryWrite(trace))
        {
            Interlocked.Add(ref waitingBytes, -bytes);
            Drop("queue_full");
        }
    }

    /// <summary>What waits is still sent, within a second.</summary>
    public async ValueTask DisposeAsync()
    {
        if (queue.Writer.TryComplete())
        {
            stopping.CancelAfter(LastWords);
            await sending.ConfigureAwait(false);
            socket?.Dispose();
            meter.Dispose();
            stopping.Dispose();
        }
    }

    private async Task SendAllAsync()
    {
        await foreach (SipTrace trace in queue.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            Interlocked.Add(ref waitingBytes, -trace.Message.Length);
            if (stopping.IsCancellationRequested)
            {
                Drop("stopped");
                continue;
            }

            await SendAsync(trace).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(SipTrace trace)
    {
        int length = HepPacket.Write(packet, trace, trace.CallId, options.CaptureId, options.Password);
        if (length == 0)
        {
            Drop("too_long");
            return;
        }

        if (time.GetUtcNow() < restsUntil)
        {
            Drop("unreachable");
            return;
        }

        try
        {
            socket ??= await ConnectAsync(stopping.Token).ConfigureAwait(false);
            await socket.SendAsync(packet.AsMemory(0, length), SocketFlags.None, stopping.Token).ConfigureAwait(false);
            Interlocked.Increment(ref sentCount);
            sent.Add(1);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            Rest(e);
        }
    }

    private async Task<Socket> ConnectAsync(CancellationToken ct)
    {
        IPAddress[] found = IPAddress.TryParse(options.Host, out IPAddress? address) ? [address] : await Dns.GetHostAddressesAsync(options.Host, ct).ConfigureAwait(false);
        if (found.Length == 0)
        {
            throw new SocketException((int)SocketError.HostNotFound);
        }

        var opened = new Socket(found[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            await opened.ConnectAsync(new IPEndPoint(found[0], options.Port), ct).ConfigureAwait(false);
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    private void Rest(Exception why)
    {
        Drop("unreachable");
        socket?.Dispose();
        socket = null;
        restsUntil = time.GetUtcNow() + RestAfterFailure;
        LogUnreachable(why.Message, options.Host, options.Port, RestAfterFailure.TotalSeconds);
    }

    private void Drop(string reason)
    {
        Interlocked.Increment(ref droppedCount);
        dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The capture server {Host}:{Port} takes no SIP messages: {Why}. It is tried again in {RestSeconds} s")]
    private partial void LogUnreachable(string why, string host, int port, double restSeconds);
}
