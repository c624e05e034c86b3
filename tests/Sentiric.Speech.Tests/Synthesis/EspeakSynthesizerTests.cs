using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Synthesis;

[Needs(Need.Espeak)]
public class EspeakContract : SynthesizerContract
{
    protected override ISpeechSynthesizer Synthesizer => Engines.Espeak;
}

[Needs(Need.Espeak)]
public class CachedEspeakContract : SynthesizerContract
{
    protected override ISpeechSynthesizer Synthesizer { get; } = new SynthesisCache(Engines.Espeak);
}

public class EspeakSynthesizerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_missing_program_says_how_to_get_it()
    {
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions { Program = "/nowhere/espeak-ng" });
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => Engines.CollectAsync(synthesizer, new SynthesisRequest("evet", "tr")));
        Assert.Equal(SpeechFault.ProgramMissing, error.Fault);
        Assert.Contains("apt-get install espeak-ng", error.Remedy);
    }

    [Fact]
    public async Task A_program_that_fails_is_told_with_its_own_words()
    {
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions { Program = "/bin/ls" });
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => Engines.CollectAsync(synthesizer, new SynthesisRequest("evet", "tr")));
        Assert.Equal(SpeechFault.EngineFailed, error.Fault);
        Assert.Contains("stdin", error.Message);
    }

    [Fact]
    public async Task A_language_without_a_voice_is_refused()
    {
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions());
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => Engines.CollectAsync(synthesizer, new SynthesisRequest("hai", "ja")));
        Assert.Equal(SpeechFault.LanguageUnsupported, error.Fault);
    }

    [Fact]
    public async Task A_text_without_end_is_refused()
    {
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions());
        string endless = new('a', EspeakSynthesizer.MaxTextLength + 1);
        await Assert.ThrowsAsync<SpeechEngineException>(() => Engines.CollectAsync(synthesizer, new SynthesisRequest(endless, "tr")));
    }

    [Fact]
    public async Task A_cancelled_child_is_gone()
    {
        using var program = new HangingProgram();
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions { Program = program.Path });
        using var cancel = new CancellationTokenSource();
        var speaking = FirstChunkAsync(synthesizer, cancel.Token);
        int pid = await program.StartedAsync(Patience);
        Assert.True(Directory.Exists($"/proc/{pid}"));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => speaking.WaitAsync(Patience));
        Assert.True(HangingProgram.IsGone(pid), $"process {pid} still runs");
    }

    [Fact]
    public async Task A_child_that_hangs_is_killed_at_the_time_limit()
    {
        using var program = new HangingProgram();
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions { Program = program.Path, TimeLimit = TimeSpan.FromMilliseconds(300) });
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => FirstChunkAsync(synthesizer, CancellationToken.None).WaitAsync(Patience));
        Assert.Equal(SpeechFault.EngineFailed, error.Fault);
        Assert.Contains("did not finish", error.Message);
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task A_voice_that_espeak_does_not_have_is_told_by_name()
    {
        var error = await Assert.ThrowsAsync<SpeechEngineException>(() => Engines.SayAsync("evet", "xyz"));
        Assert.Equal(SpeechFault.VoiceUnsupported, error.Fault);
        Assert.Contains("xyz", error.Message);
    }

    [Fact]
    public void The_engine_has_a_name_behind_a_cache_too()
    {
        using var synthesizer = new EspeakSynthesizer(new EspeakOptions());
        ISpeechSynthesizer cached = new SynthesisCache(synthesizer);
        Assert.Equal("espeak-ng", cached.Engine);
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task All_voices_are_about_equally_loud()
    {
        foreach (var voice in Engines.Espeak.Voices)
        {
            short[] speech = await Engines.SayAsync("Bugün size nasıl yardımcı olabilirim, efendim?", voice.Id);
            double level = LevelNormalizer.ActiveLevelDb(speech, 160) ?? -99;
            Assert.True(level is > -23 and < -17, $"{voice.Id} speaks at {level:F1} dBFS");
        }
    }

    // What the caller waits for is the first sound: an engine that began with a pause would have to be trimmed.
    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task Speech_begins_within_twenty_milliseconds()
    {
        const int audible = 300;
        foreach (var voice in Engines.Espeak.Voices)
        {
            short[] speech = await Engines.SayAsync("Saat kaçta gelmek istersiniz?", voice.Id);
            int first = Array.FindIndex(speech, sample => Math.Abs((int)sample) > audible);
            Assert.True(first is >= 0 and <= 8 * 20, $"{voice.Id} is silent for {first / 8} ms");
        }
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task Text_is_never_a_command_and_never_phoneme_code()
    {
        short[] speech = await Engines.SayAsync("$(touch /nowhere); `id` \"evet\" [[x]] -v en --help\r\n");
        Assert.True(speech.Length > 8000);
    }

    [SpeechFact]
    [Needs(Need.Espeak)]
    public async Task More_requests_than_children_wait_for_their_turn()
    {
        using var synthesizer = new EspeakSynthesizer(Engines.EspeakOptions with { MaxProcesses = 2 });
        var spoken = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            _ => Engines.CollectAsync(synthesizer, new SynthesisRequest("tamam", "tr")))).WaitAsync(Patience);
        Assert.All(spoken, audio => Assert.Equal(spoken[0], audio));
    }

    private static async Task FirstChunkAsync(ISpeechSynthesizer synthesizer, CancellationToken cancel)
    {
        await foreach (var chunk in synthesizer.SynthesizeAsync(new SynthesisRequest("evet", "tr"), cancel))
        {
            Assert.NotEqual(0, chunk.Pcm.Length);
        }
    }
}

/// <summary>A program that tells its process id through a named pipe and then hangs.</summary>
internal sealed class HangingProgram : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hang-").FullName;

    public HangingProgram()
    {
        string pipe = System.IO.Path.Combine(folder, "pid");
        Run("mkfifo", pipe);
        File.WriteAllText(Path, $"#!/bin/sh\necho $$ > {pipe}\nexec sleep 60\n");
        Run("chmod", "+x", Path);
    }

    public string Path => System.IO.Path.Combine(folder, "espeak-ng");

    public static bool IsGone(int pid)
    {
        try
        {
            // a killed child may stay as a zombie until its parent has asked for its exit code
            return File.ReadAllText($"/proc/{pid}/stat").Split(' ')[2] == "Z";
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    public async Task<int> StartedAsync(TimeSpan patience)
    {
        // opening the pipe waits for the program to write to it
        string pid = await Task.Run(() => File.ReadAllText(System.IO.Path.Combine(folder, "pid"))).WaitAsync(patience);
        return int.Parse(pid);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static void Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
    }
}
