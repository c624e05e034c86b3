using Microsoft.Extensions.Logging;
using Sentiric.Speech;

namespace Sentiric.Dialogue;

/// <summary>
/// Does once in the background what the first call would otherwise wait for: makes the platform's prompts and wakes the recogniser, in every
/// language. Whatever fails is logged and left to the calls.
/// </summary>
internal sealed partial class WarmUp(AgentPorts ports, DialogueOptions options, ILogger logger)
{
    public async Task RunAsync(CancellationToken ct)
    {
        foreach (var language in PlatformPrompts.Languages)
        {
            await TryAsync("recognizer", language, OpenARecognizerAsync, ct).ConfigureAwait(false);
            await TryAsync("synthesizer", language, SpeakThePromptsAsync, ct).ConfigureAwait(false);
        }
    }

    private async Task OpenARecognizerAsync(string language, CancellationToken ct)
    {
        await using var session = await ports.Recognizer.StartAsync(new() { Language = language, Phrases = [], MaxAlternatives = 0 }, ct).ConfigureAwait(false);
    }

    // Requests as the mouth makes them, else the cache would not know them again.
    private async Task SpeakThePromptsAsync(string language, CancellationToken ct)
    {
        var own = options.PromptsIn(language);
        var texts = PlatformPrompts.Names.Select(name => PlatformPrompts.Text(name, language, own)).Where(text => !text.Contains('{', StringComparison.Ordinal));
        foreach (var sentence in texts.SelectMany(Sentences.Of).Distinct(StringComparer.Ordinal))
        {
            await foreach (var _ in ports.Prompts.SynthesizeAsync(new(SpokenForm.Of(sentence, language), language), ct).ConfigureAwait(false))
            {
                // Only the cache wants the audio.
            }
        }
    }

    private async Task TryAsync(string stage, string language, Func<string, CancellationToken, Task> warm, CancellationToken ct)
    {
        try
        {
            await warm(language, ct).ConfigureAwait(false);
        }
        catch (SpeechEngineException e) when (e.Fault == SpeechFault.LanguageUnsupported)
        {
            LogNotSpoken(logger, stage, language);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            LogStillCold(logger, e, stage, language);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The {Stage} does not know the language {Language}: calls in it hear the fail-safe")]
    private static partial void LogNotSpoken(ILogger logger, string stage, string language);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Stage} could not be made ready for {Language}; the first call will have to do it")]
    private static partial void LogStillCold(ILogger logger, Exception e, string stage, string language);
}
