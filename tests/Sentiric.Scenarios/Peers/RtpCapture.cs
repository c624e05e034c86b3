using System.Diagnostics;
using System.Globalization;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Peers;

/// <summary>Continuity of an RTP stream as tshark saw it.</summary>
/// <param name="SequenceJumps">Packets whose sequence number is not the one before plus 1.</param>
/// <param name="TimestampJumps">Packets whose timestamp is not the one before plus 160, telephone events left out.</param>
internal sealed record RtpContinuity(int Packets, int SequenceJumps, int TimestampJumps, double MeanIntervalMs, double MaxGapMs, int GapsOver40Ms);

/// <summary>tshark listening on the loopback interface for the RTP that arrives at one port.</summary>
internal sealed class RtpCapture : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);
    private readonly Process tshark;
    private readonly int port;
    private readonly string file;

    private RtpCapture(Process tshark, int port, string file) => (this.tshark, this.port, this.file) = (tshark, port, file);

    public static async Task<RtpCapture> StartAsync(int port, string file)
    {
        var start = new ProcessStartInfo("tshark", ["-i", "lo", "-q", "-f", $"udp dst port {port}", "-w", file]) { RedirectStandardError = true, RedirectStandardOutput = true };
        var tshark = Process.Start(start) ?? throw new InvalidOperationException("tshark was not started.");
        var capture = new RtpCapture(tshark, port, file);
        try
        {
            await Until.TrueAsync(
                "tshark to capture", () => tshark.HasExited
                    ? throw new InvalidOperationException($"tshark ended with {tshark.ExitCode}: {tshark.StandardError.ReadToEnd()}")
                    : Task.FromResult(File.Exists(file) && new FileInfo(file).Length > 0),
                Limit);
            return capture;
        }
        catch
        {
            await capture.DisposeAsync();
            throw;
        }
    }

    public async Task<RtpContinuity> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-INT", tshark.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        await tshark.WaitForExitAsync().WaitAsync(Limit);
        var read = await Programs.RunAsync(
            "tshark", ["-r", file, "-d", $"udp.port=={port},rtp", "-Y", "rtp && rtp.p_type == 8", "-T", "fields", "-e", "frame.time_epoch", "-e", "rtp.seq", "-e", "rtp.timestamp"], Limit);
        return Judge([.. read.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Packet)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (!tshark.HasExited)
        {
            tshark.Kill();
            await tshark.WaitForExitAsync();
        }

        tshark.Dispose();
    }

    private static RtpContinuity Judge(IReadOnlyList<(double At, ushort Sequence, uint Timestamp)> packets)
    {
        var pairs = packets.Zip(packets.Skip(1)).ToList();
        var gaps = pairs.Select(p => (p.Second.At - p.First.At) * 1_000).ToList();
        return new(
            packets.Count,
            pairs.Count(p => (ushort)(p.Second.Sequence - p.First.Sequence) != 1),
            pairs.Count(p => p.Second.Timestamp - p.First.Timestamp != 160),
            gaps.Count == 0 ? 0 : Math.Round(gaps.Average(), 3), gaps.Count == 0 ? 0 : Math.Round(gaps.Max(), 1), gaps.Count(g => g > 40));
    }

    private static (double, ushort, uint) Packet(string line) => line.Split('\t') is [var at, var sequence, var timestamp, ..]
        ? (double.Parse(at, CultureInfo.InvariantCulture), ushort.Parse(sequence, CultureInfo.InvariantCulture), uint.Parse(timestamp, CultureInfo.InvariantCulture))
        : throw new InvalidDataException($"tshark wrote \"{line}\".");
}
