namespace Sentiric.Speech.Tests.Audio;

public class WavFileTests
{
    [Fact]
    public void What_is_written_is_read_again()
    {
        short[] samples = [0, 1, -1, short.MaxValue, short.MinValue, 1234];
        var read = WavFile.Parse(WavFile.ToBytes(samples, 8000));
        Assert.Equal(samples, read.Samples);
        Assert.Equal((8000, 1), (read.SampleRate, read.Channels));
    }

    [Fact]
    public void Stereo_gives_each_channel_apart()
    {
        var read = WavFile.Parse(WavFile.ToBytes([1, -1, 2, -2, 3, -3], 16_000, channels: 2));
        Assert.Equal([1, 2, 3], read.Channel(0));
        Assert.Equal([-1, -2, -3], read.Channel(1));
        Assert.Equal(3, read.Duration.TotalSeconds * 16_000, 3);
    }

    [Fact]
    public void A_file_that_was_streamed_with_a_false_size_gives_what_is_there()
    {
        byte[] file = WavFile.ToBytes([7, 8, 9], 22_050);
        file.AsSpan(40, 4).Fill(0x7F);
        Assert.Equal([7, 8, 9], WavFile.Parse(file).Samples);
    }

    [Fact]
    public void Unknown_chunks_before_the_data_are_passed_over()
    {
        byte[] plain = WavFile.ToBytes([5, 6], 8000);
        byte[] list = [.. "LIST"u8, 3, 0, 0, 0, 1, 2, 3, 0];
        byte[] file = [.. plain[..36], .. list, .. plain[36..]];
        Assert.Equal([5, 6], WavFile.Parse(file).Samples);
    }

    [Theory]
    [InlineData("no wav at all")]
    [InlineData("RIFFxxxxWAVE")]
    [InlineData("RIFFxxxxWAVEdata\u0002\0\0\0ab")]
    [InlineData("")]
    public void Something_else_is_refused_with_a_clear_message(string content) =>
        Assert.Contains("WAV", Assert.Throws<InvalidDataException>(() => WavFile.Parse(System.Text.Encoding.Latin1.GetBytes(content))).Message);

    [Fact]
    public void Compressed_audio_is_refused_by_name()
    {
        byte[] file = WavFile.ToBytes([1, 2], 8000);
        file[20] = 7; // µ-law
        Assert.Contains("format 7", Assert.Throws<InvalidDataException>(() => WavFile.Parse(file)).Message);
    }
}
