using System.Security.Cryptography;
using System.Text;

namespace Sentiric.Media.Tests;

public sealed class SealingRecordings : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("media-sealed").FullName;
    private readonly byte[] key = RandomNumberGenerator.GetBytes(32);
    private readonly short[] voice = Signals.Voice(TimeSpan.FromSeconds(3));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(RecordingFormat.Wav)]
    [InlineData(RecordingFormat.Flac)]
    public async Task The_key_opens_what_both_sides_said_and_the_hash_is_of_what_is_handed_out(RecordingFormat format)
    {
        var result = await RecordAsync(format);
        using var opened = Open(result.Path, key);
        var audio = ReadAll(opened.Content);
        using (var file = File.OpenRead(result.Path)) Assert.True(SealedRecording.HasEnd(file));
        Assert.Equal((true, format, "envelope ığ"), (opened.Info.IsComplete, opened.Info.Format, opened.Info.Envelope));
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(audio)), 3_000L), (result.Sha256, result.DurationMs));
        Assert.Equal(voice, Left(format, audio));
    }

    [Fact]
    public async Task Nothing_of_the_audio_lies_in_the_file_in_the_clear()
    {
        var result = await RecordAsync(RecordingFormat.Wav);
        var stored = File.ReadAllBytes(result.Path);
        Span<byte> piece = stackalloc byte[16];
        for (var i = 0; i + 4 < voice.Length; i += 40)
        {
            for (var k = 0; k < 4; k++)
            {
                BitConverter.TryWriteBytes(piece[(4 * k)..], voice[i + k]);
                BitConverter.TryWriteBytes(piece[(4 * k + 2)..], (short)-voice[i + k]);
            }
            Assert.True(stored.AsSpan().IndexOf(piece) < 0, $"sample {i} lies there in the clear");
        }
        // As good as noise: 256 values equally often.
        var counts = new int[256];
        foreach (var octet in stored) counts[octet]++;
        Assert.True(counts.Max() < 1.5 * stored.Length / 256, "the file is not evenly distributed");
    }

    [Fact]
    public async Task Another_key_opens_nothing()
    {
        var result = await RecordAsync(RecordingFormat.Wav);
        Assert.Throws<RecordingTamperedException>(() => Open(result.Path, RandomNumberGenerator.GetBytes(32)));
    }

    [Fact]
    public async Task Every_changed_byte_of_the_file_is_found()
    {
        var result = await RecordAsync(RecordingFormat.Flac);
        var original = File.ReadAllBytes(result.Path);
        var dice = new Random(11);
        // All of the beginning, where every field has its place, and a hundred bytes of the rest.
        foreach (var at in Enumerable.Range(0, 80).Concat(Enumerable.Range(0, 100).Select(_ => dice.Next(original.Length))))
        {
            var changed = (byte[])original.Clone();
            changed[at] ^= 0x10;
            Assert.False(IsTheSame(changed, result.Sha256), $"byte {at} was changed and nobody saw");
        }
    }

    [Fact]
    public async Task Records_cannot_be_removed_repeated_or_swapped()
    {
        var result = await RecordAsync(RecordingFormat.Wav);
        var original = File.ReadAllBytes(result.Path);
        using var file = File.OpenRead(result.Path);
        var records = SealedRecording.Index(file)?.Records ?? [];
        Assert.True(records.Count > 4, $"{records.Count} records");
        var pieces = records.Select((r, i) => original[(int)r.At..(i + 1 < records.Count ? (int)records[i + 1].At : original.Length)]).ToList();
        var start = original[..(int)records[0].At];
        Assert.False(IsTheSame([.. start, .. pieces.Skip(1).SelectMany(p => p)], result.Sha256));
        Assert.False(IsTheSame([.. start, .. pieces[0], .. pieces.SelectMany(p => p)], result.Sha256));
        Assert.False(IsTheSame([.. start, .. pieces[1], .. pieces[0], .. pieces.Skip(2).SelectMany(p => p)], result.Sha256));
        Assert.True(IsTheSame([.. start, .. pieces.SelectMany(p => p)], result.Sha256));
    }

    [Theory]
    [InlineData(RecordingFormat.Wav, 0)]
    [InlineData(RecordingFormat.Wav, 7)]
    [InlineData(RecordingFormat.Flac, 1_000)]
    public void D21_a_sealed_recording_survives_kill_9(RecordingFormat format, int bytesOfACutWrite)
    {
        // As the disk looks when the process dies: whole records, and perhaps the beginning of one.
        var recording = new CallRecording(Path.Combine(folder, "dead"), format, new RecordingSeal(key, "e"));
        Fill(recording, drain: true);
        var copy = Path.Combine(folder, "copy");
        File.Copy(recording.Path, copy);
        File.AppendAllBytes(copy, [.. Enumerable.Repeat((byte)1, Math.Min(1, bytesOfACutWrite)), .. new byte[Math.Max(0, bytesOfACutWrite - 1)]]);

        using (var file = File.OpenRead(copy)) Assert.False(SealedRecording.HasEnd(file));
        using (var cut = Open(copy, key))
        {
            Assert.False(cut.Info.IsComplete);
            Assert.Equal(voice, Left(format, ReadAll(cut.Content)));
        }
        var repaired = SealedRecording.Repair(copy, key);
        Assert.Equal((3_000L, (string?)null), (repaired.DurationMs, repaired.Error));
        using (var whole = Open(copy, key))
        {
            var audio = ReadAll(whole.Content);
            Assert.True(whole.Info.IsComplete);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(audio)), repaired.Sha256);
            Assert.Equal(voice, Left(format, audio));
        }
        Assert.Equal(repaired, SealedRecording.Repair(copy, key));
        Assert.ThrowsAny<IOException>(() => SealedRecording.Repair(recording.Path, key)); // it still runs
        recording.Close();
        Assert.True(recording.Drain());
    }

    [Fact]
    public void A_key_that_does_not_fit_repairs_nothing()
    {
        var recording = new CallRecording(Path.Combine(folder, "dead"), RecordingFormat.Wav, new RecordingSeal(key, "e"));
        Fill(recording, drain: true);
        var copy = Path.Combine(folder, "copy");
        File.Copy(recording.Path, copy);
        var before = File.ReadAllBytes(copy);
        Assert.Throws<RecordingTamperedException>(() => SealedRecording.Repair(copy, RandomNumberGenerator.GetBytes(32)));
        Assert.Equal(before, File.ReadAllBytes(copy));
        recording.Close();
        Assert.True(recording.Drain());
    }

    [Fact]
    public async Task A_player_may_begin_anywhere()
    {
        var result = await RecordAsync(RecordingFormat.Wav);
        using var opened = Open(result.Path, key);
        var whole = ReadAll(opened.Content);
        var dice = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var at = dice.Next(whole.Length);
            var piece = new byte[Math.Min(dice.Next(1, 9_000), whole.Length - at)];
            opened.Content.Position = at;
            opened.Content.ReadExactly(piece);
            Assert.Equal(whole[at..(at + piece.Length)], piece);
        }
        opened.Content.Position = whole.Length;
        Assert.Equal(0, opened.Content.Read(new byte[10]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_auditor_without_a_key_can_check_every_segment(bool isSealed)
    {
        var told = new List<RecordingSegment>();
        var path = Path.Combine(folder, "long");
        var recording = new CallRecording(path, RecordingFormat.Wav, isSealed ? new RecordingSeal(key, "e") : null, told.Add);
        var frame = new short[160];
        for (var i = 0; i < 70 * 50; i++)
        {
            Array.Fill(frame, (short)i);
            recording.Append(frame, frame);
            if (i % 50 == 49) recording.Drain();
        }
        Assert.Equal([30_000L, 30_000L], told.Select(s => s.DurationMs)); // told while the call goes on
        recording.Close();
        recording.Drain();
        var result = await recording.Closed;

        Assert.Equal([0, 1, 2], told.Select(s => s.Number));
        Assert.Equal([0L, 30_000, 60_000], told.Select(s => s.FromMs));
        Assert.Equal(70_000, told.Sum(s => s.DurationMs));
        var stored = File.ReadAllBytes(path);
        Assert.Equal(stored.Length, told[^1].Offset + told[^1].Bytes);
        for (var i = 0; i < told.Count; i++)
        {
            Assert.Equal(i == 0 ? (isSealed ? 0 : WavHeader.Size) : told[i - 1].Offset + told[i - 1].Bytes, told[i].Offset);
            var bytes = stored.AsSpan((int)told[i].Offset, (int)told[i].Bytes);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), told[i].Sha256);
        }
        Assert.Equal(WavHeader.Size + 70 * 8_000 * 4, result.Bytes);
    }

    [Fact]
    public void Other_files_are_no_sealed_recordings()
    {
        foreach (var bytes in new[] { "", "CALLREC1", "CALLREC1\u0009\0\0\0", "CALLREC1\0\0\uFFFF", "RIFF0000WAVE" })
        {
            using var file = new MemoryStream(Encoding.Latin1.GetBytes(bytes));
            Assert.Null(SealedRecording.Look(file));
        }
    }

    private bool IsTheSame(byte[] stored, string sha256)
    {
        try
        {
            using var opened = SealedRecording.Open(new MemoryStream(stored), key);
            return opened.Info.IsComplete && opened.Info.Envelope == "envelope ığ" && Convert.ToHexStringLower(SHA256.HashData(ReadAll(opened.Content))) == sha256;
        }
        catch (Exception refused) when (refused is RecordingTamperedException or InvalidDataException)
        {
            return false;
        }
    }

    private async Task<RecordingResult> RecordAsync(RecordingFormat format)
    {
        var recording = new CallRecording(Path.Combine(folder, "call"), format, new RecordingSeal(key, "envelope ığ"));
        Fill(recording, drain: true);
        recording.Close();
        Assert.True(recording.Drain());
        return await recording.Closed;
    }

    // Left the voice, right its mirror image.
    private void Fill(CallRecording recording, bool drain)
    {
        var mirror = new short[160];
        for (var at = 0; at < voice.Length; at += 160)
        {
            for (var i = 0; i < 160; i++) mirror[i] = (short)-voice[at + i];
            recording.Append(voice.AsSpan(at, 160), mirror);
            if (drain && at / 160 % 25 == 24) recording.Drain();
        }
    }

    private static SealedRecording Open(string path, byte[] key) =>
        SealedRecording.Open(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), key);

    private static byte[] ReadAll(Stream stream)
    {
        using var memory = new MemoryStream();
        stream.Position = 0;
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    private static short[] Left(RecordingFormat format, byte[] audio) => format switch
    {
        RecordingFormat.Wav => WavFile.Parse(audio).Channels[0],
        RecordingFormat.Flac => [.. FlacReader.Read(audio).Interleaved.Where((_, i) => i % 2 == 0)],
    };
}
