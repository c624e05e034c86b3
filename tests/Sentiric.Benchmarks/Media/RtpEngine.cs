using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sentiric.Benchmarks.Kit;
using Sentiric.Benchmarks.Sip;

namespace Sentiric.Benchmarks.Media;

/// <summary>
/// rtpengine in user space (no kernel table): calls are made with its control protocol "ng" (bencode over UDP), then it relays what one side
/// sends to the other.
/// </summary>
internal sealed class RtpEngine : IPeer
{
    private const string FirstPort = "30000", LastPort = "39999";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Process process;
    private readonly DirectoryInfo folder;
    private readonly List<int> ports = [];

    private RtpEngine(Process process, DirectoryInfo folder) => (this.process, this.folder) = (process, folder);

    public IReadOnlyList<int> Ports => ports;

    public TimeSpan Cpu => ProcessCpu.Of(process.Id);

    /// <summary>One relay thread; each phone gets a call whose other side is a phone on the same port.</summary>
    public static async Task<RtpEngine> StartAsync(string program, IReadOnlyList<int> phones, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("bench-rtpengine-");
        var control = new IPEndPoint(IPAddress.Loopback, Sipp.FreePort());
        var process = Sipp.Start(
            program, folder.FullName, "--table=-1", "--interface=127.0.0.1", $"--listen-ng={control}", $"--port-min={FirstPort}", $"--port-max={LastPort}",
            "--num-threads=1", "--foreground", "--log-stderr", "--log-level=3", $"--pidfile={Path.Combine(folder.FullName, "pid")}");
        var engine = new RtpEngine(process, folder);
        try
        {
            await Sipp.ListeningAsync(control, stop);
            using var client = new UdpClient();
            client.Connect(control);
            for (var i = 0; i < phones.Count; i++) engine.ports.Add(await CallAsync(client, i, phones[i], stop));
            return engine;
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
        folder.Delete(recursive: true);
    }

    /// <summary>The port that the caller's packets go to, as the answer to the caller says.</summary>
    private static async Task<int> CallAsync(UdpClient client, int number, int phone, CancellationToken stop)
    {
        var call = ("call-id", $"bench-{number}");
        await AskAsync(client, number * 2, [("call-id", call.Item2), ("command", "offer"), ("from-tag", "a"), ("sdp", Sdp(phone))], stop);
        var answer = await AskAsync(
            client, number * 2 + 1, [("call-id", call.Item2), ("command", "answer"), ("from-tag", "a"), ("sdp", Sdp(phone)), ("to-tag", "b")], stop);
        const string line = "m=audio ";
        var at = answer.IndexOf(line, StringComparison.Ordinal);
        if (at < 0) throw new InvalidDataException($"rtpengine said: {answer}");
        return int.Parse(answer[(at + line.Length)..].Split(' ')[0], CultureInfo.InvariantCulture);
    }

    private static async Task<string> AskAsync(UdpClient client, int cookie, (string Key, string Value)[] entries, CancellationToken stop)
    {
        // "cookie d3:key5:value...e": text is ASCII, so characters are bytes
        var message = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{cookie} d");
        foreach (var (key, value) in entries) message.Append(CultureInfo.InvariantCulture, $"{key.Length}:{key}{value.Length}:{value}");
        await client.SendAsync(Encoding.ASCII.GetBytes(message.Append('e').ToString()), stop);
        var reply = await client.ReceiveAsync(stop).AsTask().WaitAsync(Patience, stop);
        var text = Encoding.ASCII.GetString(reply.Buffer);
        return text.Contains("6:result2:ok", StringComparison.Ordinal) ? text : throw new InvalidDataException($"rtpengine said: {text}");
    }

    private static string Sdp(int port) =>
        $"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port.ToString(CultureInfo.InvariantCulture)} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
}
