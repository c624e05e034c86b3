using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Sentiric.Media;
using Sentiric.Sip;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Peers;

/// <summary>
/// baresip (libre) as somebody's telephone: answers by itself, plays a WAV, keeps what it hears, and takes commands over its ctrl_tcp module
/// (JSON in netstrings).
/// </summary>
internal sealed class BaresipPeer : IForeignPhone
{
    private const string Modules = "/usr/lib/baresip/modules";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly string folder;
    private readonly PeerProcess process;
    private readonly TcpClient control;
    private readonly Task reading;
    private readonly Lock gate = new();
    private readonly List<string> heard = []; // events and answers, under gate

    private BaresipPeer(string folder, int port, PeerProcess process, TcpClient control)
    {
        (this.folder, Port, this.process, this.control) = (folder, port, process, control);
        reading = ReadAsync();
    }

    /// <summary>UDP and TCP; TLS is on the next one.</summary>
    public int Port { get; }

    /// <param name="wav">Its microphone: 8 kHz mono, longer than the call, which ends with the file.</param>
    /// <param name="trust">PEM of the root that it believes over TLS.</param>
    public static Task<BaresipPeer> StartAsync(string folder, short[] wav, string? trust = null) => StartAsync(folder, wav, trust, srtp: false);

    /// <summary>One that offers and takes RTP/SAVP only.</summary>
    public static Task<BaresipPeer> StartSecureAsync(string folder, short[] wav, string trust) => StartAsync(folder, wav, trust, srtp: true);

    /// <param name="user">Whom one has to call.</param>
    public static Task<BaresipPeer> StartAsync(string folder, short[] wav, bool srtp, string user) => StartAsync(folder, wav, trust: null, srtp, user);

    /// <summary>One that wants Opus before all else.</summary>
    public static Task<BaresipPeer> StartWithOpusAsync(string folder, short[] wav, string? trust = null) => StartAsync(folder, wav, trust, srtp: false, codecs: "opus/48000/2,pcmu,pcma");

    private static async Task<BaresipPeer> StartAsync(string folder, short[] wav, string? trust, bool srtp, string user = "ali", string codecs = "pcmu,pcma")
    {
        Directory.CreateDirectory(folder);
        var (port, controlPort) = (FreePorts.Next(), FreePorts.Next());
        WriteMicrophone(Path.Combine(folder, "caller.wav"), wav, isOpus: codecs.StartsWith("opus", StringComparison.Ordinal));
        await WriteFilesAsync(folder, port, controlPort, trust, srtp, user, codecs);
        var process = PeerProcess.Start("baresip", ["-f", folder, "-v"], folder);
        try
        {
            await process.SaysAsync("baresip is ready");
            var control = new TcpClient();
            await control.ConnectAsync("127.0.0.1", controlPort);
            return new(folder, port, process, control);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public SipUri Address(string transport = "udp") =>
        SipUri.Parse(string.Create(CultureInfo.InvariantCulture, $"sip:ali@127.0.0.1:{(transport == "tls" ? Port + 1 : Port)};transport={transport}"));

    public async Task CommandAsync(string command, string? parameters = null)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(new { command, @params = parameters ?? "" });
        await control.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{json.Length}:")));
        await control.GetStream().WriteAsync(json);
        await control.GetStream().WriteAsync(","u8.ToArray());
    }

    /// <summary>Until an event of this type has come so often.</summary>
    public Task EventAsync(string type, int times = 1) => Until.TrueAsync(
        $"{type} from baresip", () => Task.FromResult(Events().Count(e => e.Contains($"\"type\":\"{type}\"", StringComparison.Ordinal)) >= times), Patience,
        () => string.Join('\n', Events()) + "\n" + process.Said);

    /// <summary>What it decoded, all its streams one behind the other, as 8 kHz mono whatever it decodes to.</summary>
    public short[] Heard() => [.. Directory.GetFiles(folder, "dump-*-dec.wav").Order(StringComparer.Ordinal)
        .Where(file => new FileInfo(file).Length > 1_000).SelectMany(file => Samples(file))];

    public string Said => process.Said;

    public async ValueTask DisposeAsync()
    {
        control.Dispose();
        await reading;
        await process.DisposeAsync();
    }

    private IReadOnlyList<string> Events()
    {
        lock (gate) return [.. heard];
    }

    // aufile wants as many channels as the codec has, and its opus has two.
    private static void WriteMicrophone(string file, short[] wav, bool isOpus)
    {
        if (!isOpus)
        {
            WavFile.Write(file, wav);
            return;
        }

        const int channels = 2, frameBytes = channels * sizeof(short);
        WavFile.Write(file, [.. wav.SelectMany(sample => new[] { sample, sample })]);
        var bytes = File.ReadAllBytes(file);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(22), channels);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(28), Tone.SampleRate * frameBytes);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(32), frameBytes);
        File.WriteAllBytes(file, bytes);
    }

    // The length in the header of a file that is still written is not true yet.
    private static short[] Samples(string file)
    {
        var bytes = File.ReadAllBytes(file).AsSpan();
        var (channels, rate) = (bytes[22], BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]));
        var all = MemoryMarshal.Cast<byte, short>(bytes[44..(bytes.Length & ~1)]);
        var first = new short[all.Length / channels];
        for (var i = 0; i < first.Length; i++) first[i] = all[i * channels];
        return rate == Tone.SampleRate ? first : Narrow(first, rate);
    }

    private static short[] Narrow(short[] wide, int rate)
    {
        var (resampler, step, narrow, piece) = (new Resampler(rate, Tone.SampleRate), rate / 50, new List<short>(wide.Length / (rate / Tone.SampleRate)), new short[Tone.SampleRate / 50 + 1]);
        for (var at = 0; at + step <= wide.Length; at += step) narrow.AddRange(piece.AsSpan(0, resampler.Process(wide.AsSpan(at, step), piece)));
        return [.. narrow];
    }

    private async Task ReadAsync()
    {
        try
        {
            var stream = control.GetStream();
            while (true)
            {
                var length = 0;
                for (int digit; (digit = await ByteAsync(stream)) != ':';)
                {
                    length = (length * 10) + digit - '0';
                }

                var message = new byte[length + 1];
                await stream.ReadExactlyAsync(message);
                lock (gate)
                {
                    heard.Add(Encoding.UTF8.GetString(message, 0, length));
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            return; // the test is over
        }
    }

    private static async Task<int> ByteAsync(NetworkStream stream)
    {
        var one = new byte[1];
        await stream.ReadExactlyAsync(one);
        return one[0];
    }

    // net_interface takes an address: the name lo is not understood.
    private static async Task WriteFilesAsync(string folder, int port, int controlPort, string? trust, bool srtp, string user, string codecs)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "config"), $"""
            poll_method epoll
            sip_listen 127.0.0.1:{port}
            {(trust is null ? "" : "sip_cafile " + trust)}
            net_interface 127.0.0.1
            audio_source aufile,{folder}/caller.wav
            audio_player aubridge,nobody
            audio_alert none
            ausrc_srate 8000
            auplay_srate 8000
            module_path {Modules}
            module g711.so
            module aufile.so
            module aubridge.so
            module sndfile.so
            {(srtp ? "module srtp.so" : "")}
            {(codecs.StartsWith("opus", StringComparison.Ordinal) ? "module opus.so" : "")}
            opus_bitrate 32000
            opus_inbandfec yes
            module ctrl_tcp.so
            ctrl_tcp_listen 127.0.0.1:{controlPort}
            snd_path {folder}
            module_tmp account.so
            module_app menu.so

            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "accounts"), $"<sip:{user}@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs={codecs}{(srtp ? ";mediaenc=srtp-mand" : "")}\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "contacts"), "");
    }
}
