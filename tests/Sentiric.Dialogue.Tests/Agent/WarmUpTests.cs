using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Sentiric.Dialogue.Tests;

public sealed class WarmUpTests
{
    private readonly AgentBench _bench = new();

    [Fact]
    public async Task The_first_call_finds_its_prompts_made_and_the_recogniser_awake()
    {
        await RunAsync();
        Assert.Equal(["tr", "en"], _bench.Recognizer.Opened);
        Assert.Equal(["tr", "en"], _bench.Recognizer.Closed);
        Assert.True(_bench.Ports.Prompts.Held > TimeSpan.Zero);
        Assert.DoesNotContain(_bench.Synthesizer.Spoken, text => text.Contains('{', StringComparison.Ordinal));
        // What the mouth asks for is found: the voice may be gone by then.
        _bench.Synthesizer.Broken = true;
        foreach (var sentence in Sentences.Of(PlatformPrompts.BuiltIn(PlatformPrompts.Goodbye, "tr")))
        {
            await foreach (var chunk in _bench.Ports.Prompts.SynthesizeAsync(new(sentence, "tr"), default))
            {
                Assert.NotEqual(0, chunk.Pcm.Length);
            }
        }
    }

    [Fact]
    public async Task One_engine_that_is_away_keeps_nothing_else_cold()
    {
        _bench.Recognizer.Broken = true;
        await RunAsync();
        Assert.Contains(_bench.Synthesizer.Spoken, text => text.Contains("good-bye", StringComparison.Ordinal));
        _bench.Synthesizer.Broken = true;
        await RunAsync();
        Assert.Equal(["tr", "en", "tr", "en"], _bench.Recognizer.Opened);
    }

    [Fact]
    public async Task A_worker_that_starts_warms_up_and_does_not_wait_for_it()
    {
        using var worker = new AgentWorker(_bench.Ports, new DialogueOptions(), NullLogger<AgentWorker>.Instance);
        await worker.StartAsync(default);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!_bench.Synthesizer.Spoken.Any(text => text.Contains("good-bye", StringComparison.Ordinal)))
        {
            await Task.Yield();
            Assert.False(patience.IsCancellationRequested, "waited for the English prompts to be made");
        }

        await worker.StopAsync(default);
    }

    private Task RunAsync() => new WarmUp(_bench.Ports, new DialogueOptions(), NullLogger.Instance).RunAsync(default);
}
