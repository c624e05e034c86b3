using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Peers;

/// <summary>rtpengine in user space (no kernel table), told what to do by kamailio; asked what it relayed over the same protocol, "ng": bencode over UDP.</summary>
internal sealed partial class RtpEngineRelay : IAsyncDisposable
{
    // Below the range that the kernel gives to others.
    private const string FirstPort = "27000", LastPort = "27999";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Reply = TimeSpan.FromSeconds(1);
    private readonly PeerProcess process;
    private int questions;

    private RtpEngineRelay(int port, PeerProcess process) => (Port, this.process) = (port, process);

    /// <summary>Of its control.</summary>
    public int Port { get; }

    public string Said => process.Said;

    public static async Task<RtpEngineRelay> StartAsync(string folder)
    {
        var port = FreePorts.Next();
        var process = PeerProcess.Start(
            "rtpengine",
            ["--table=-1", "--interface=127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"--listen-ng=127.0.0.1:{port}"), $"--port-min={FirstPort}", $"--port-max={LastPort}",
             "--num-threads=2", "--foreground", "--log-stderr", "--log-level=5", $"--pidfile={Path.Combine(folder, "rtpengine.pid")}"],
            folder);
        var relay = new RtpEngineRelay(port, process);
        try
        {
            await Until.TrueAsync("rtpengine to answer", async () => (await relay.AskAsync("d7:command4:pinge")).Contains("pong", StringComparison.Ordinal), Patience, () => process.Said);
            return relay;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>RTP packets of this call so far, both ways.</summary>
    public async Task<long> RelayedAsync(string sipCallId)
    {
        var reply = await AskAsync(string.Create(CultureInfo.InvariantCulture, $"d7:command5:query7:call-id{sipCallId.Length}:{sipCallId}e"));
        return Totals().Match(reply) is { Success: true } found ? long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
            : throw new InvalidDataException($"rtpengine said: {reply}\n{process.Said}");
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    // A question that comes before it listens is lost: the caller asks again.
    private async Task<string> AskAsync(string question)
    {
        using var client = new UdpClient();
        client.Connect(new IPEndPoint(IPAddress.Loopback, Port));
        try
        {
            await client.SendAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{++questions} {question}")));
            return Encoding.ASCII.GetString((await client.ReceiveAsync().WaitAsync(Reply)).Buffer);
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return e.Message;
        }
    }

    [GeneratedRegex(@"6:totalsd.*?3:RTPd7:packetsi(\d+)e", RegexOptions.Singleline)]
    private static partial Regex Totals();
}
