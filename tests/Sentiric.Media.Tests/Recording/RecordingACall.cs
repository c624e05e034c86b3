using System.Security.Cryptography;

namespace Sentiric.Media.Tests;

public sealed class RecordingACall : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("media-recording").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Left_is_the_remote_party_right_is_us_and_the_hash_is_of_the_file()
    {
        var result = await Record("call.wav", r =>
        {
            for (short i = 0; i < 75; i++) r.Append(Frame(i), Frame((short)(1_000 + i)));
        });
        var wav = WavFile.Read(result.Path);
        Assert.Equal((8_000, 2, 75 * 160), (wav.SampleRate, wav.Channels.Count, wav.Channels[0].Length));
        Assert.Equal((short)74, wav.Channels[0][^1]);
        Assert.Equal((short)1_074, wav.Channels[1][^1]);
        Assert.Equal((1_500, 0L, (string?)null), (result.DurationMs, result.LostFrames, result.Error));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(result.Path))), result.Sha256);
        Assert.Equal(WavRepairResult.Intact, WavRepair.Repair(result.Path));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void D21_a_recording_survives_kill_9(int bytesOfACutWrite)
    {
        // As the disk looks when the process dies: samples are there, the sizes are those of the last whole second at best.
        var recording = new CallRecording(Path.Combine(folder, "dead.wav"));
        for (short i = 0; i < 30; i++) recording.Append(Frame(i), Frame(i));
        recording.Drain();
        var copy = Path.Combine(folder, "copy.wav");
        File.Copy(recording.Path, copy);
        File.AppendAllBytes(copy, new byte[bytesOfACutWrite]);

        Assert.Empty(WavFile.Read(copy).Channels[0]);
        Assert.Equal(WavRepairResult.Repaired, WavRepair.Repair(copy));
        Assert.Equal(30 * 160, WavFile.Read(copy).Channels[0].Length);
        Assert.Equal(29, WavFile.Read(copy).Channels[1][^1]);
        Assert.Equal(WavRepairResult.Intact, WavRepair.Repair(copy));
        Assert.Equal(WavRepairResult.Unavailable, WavRepair.Repair(recording.Path)); // it still runs
        recording.Close();
        Assert.True(recording.Drain());
    }

    [Fact]
    public async Task D21_at_start_every_dead_recording_below_the_folder_is_repaired_and_the_whole_ones_are_left()
    {
        var whole = await Record("whole.wav", r => r.Append(Frame(1), Frame(1)));
        foreach (var name in new[] { "one/dead.wav", "two/dead.wav" })
        {
            Directory.CreateDirectory(Path.Combine(folder, Path.GetDirectoryName(name) ?? ""));
            File.WriteAllBytes(Path.Combine(folder, name), [.. WavHeader.Make(2, 8_000, 0), .. new byte[640]]);
        }
        Assert.Equal(2, WavRepair.RepairAll(folder));
        Assert.Equal(0, WavRepair.RepairAll(folder));
        Assert.Equal(whole.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(whole.Path))));
    }

    [Fact]
    public void Other_files_are_left_alone()
    {
        var path = Path.Combine(folder, "other.wav");
        File.WriteAllText(path, "RIFF but not a recording of ours, and longer than a header would be");
        Assert.Equal(WavRepairResult.NotOurs, WavRepair.Repair(path));
        Assert.StartsWith("RIFF but not", File.ReadAllText(path));
    }

    [Fact]
    public async Task A_disk_that_hangs_costs_frames_but_not_the_timeline()
    {
        var result = await Record("slow.wav", r =>
        {
            for (short i = 1; i <= 150; i++) r.Append(Frame(i), Frame(i)); // the ring holds 100
            r.Drain();
            for (short i = 151; i <= 160; i++) r.Append(Frame(i), Frame(i));
        });
        var left = WavFile.Read(result.Path).Channels[0];
        Assert.Equal((160 * 160, 50L), (left.Length, result.LostFrames));
        Assert.Equal([100, 0, 0, 151, 160], new[] { 99, 100, 149, 150, 159 }.Select(f => (int)left[f * 160]));
    }

    [Fact]
    public async Task A_pause_and_a_stall_are_silence_of_the_same_length()
    {
        var result = await Record("pause.wav", r =>
        {
            r.Append(Frame(1), Frame(1));
            r.Paused = true;
            r.Append(Frame(2), Frame(2));
            r.Paused = false;
            r.AppendSilence(2);
            r.Append(Frame(3), Frame(3));
        });
        Assert.Equal([1, 0, 0, 0, 3], Enumerable.Range(0, 5).Select(f => (int)WavFile.Read(result.Path).Channels[0][f * 160]));
    }

    [Fact]
    public void A_recording_never_overwrites_another()
    {
        var path = Path.Combine(folder, "mine.wav");
        File.WriteAllText(path, "precious");
        Assert.Throws<IOException>(() => new CallRecording(path));
        Assert.Equal("precious", File.ReadAllText(path));
    }

    [Fact]
    public void A_mono_file_written_is_read_back()
    {
        var path = Path.Combine(folder, "mono.wav");
        var voice = Signals.Voice(TimeSpan.FromMilliseconds(300));
        WavFile.Write(path, voice);
        Assert.Equal(voice, WavFile.Read(path).Channels[0]);
    }

    [Theory]
    [InlineData("52494646")]
    [InlineData("524946460000000057415645")]
    [InlineData("52494646000000005741564564617461FFFFFFFF")]
    [InlineData("524946460000000057415645666D742004000000010001004100000064617461")]
    public void Broken_WAV_files_are_refused(string hex) => Assert.Throws<InvalidDataException>(() => WavFile.Parse(Convert.FromHexString(hex)));

    private async Task<RecordingResult> Record(string name, Action<CallRecording> call)
    {
        var recording = new CallRecording(Path.Combine(folder, name));
        call(recording);
        recording.Close();
        Assert.True(recording.Drain());
        return await recording.Closed;
    }

    private static short[] Frame(short value)
    {
        var frame = new short[160];
        Array.Fill(frame, value);
        return frame;
    }
}
