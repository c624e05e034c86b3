using System.Globalization;
using Sentiric.Contracts.Events;
using Sentiric.Media;
using Sentiric.Phone;
using Sentiric.Sip;
using Sentiric.Speech;
using Sentiric.Testing.Platform;

namespace Sentiric.Scenarios.Kit;

/// <summary>Calls to a platform, in the words of the tests.</summary>
internal static class Calling
{
    public const string Assistant = "+902120000001";
    public const string Echo = "1002", Announcement = "1003", Closed = "1004", Maintenance = "1005";
    public const string KnownCaller = "+905321112233";
    public const string KnownCallerName = "Ayşe Yılmaz";
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static CallerScript Script(string name) => CallerScript.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "scripts", name + ".json")));

    public static EspeakSynthesizer Voice() => new(new EspeakOptions
    {
        Program = SpeechFiles.Espeak ?? "espeak-ng", LibraryPath = SpeechFiles.EspeakLibraryPath, DataPath = SpeechFiles.EspeakDataPath,
    });

    public static SipUri Number(this RunningPlatform platform, string number) =>
        SipUri.Parse(string.Create(CultureInfo.InvariantCulture, $"sip:{number}@127.0.0.1:{platform.SipPort}"));

    public static async Task<CallerReport> CallAsync(
        this RunningPlatform platform, CallerScript script, string to = Assistant, string from = KnownCaller, string? recordTo = null, Action<CallerProgress>? tell = null)
    {
        using var voice = Voice();
        var caller = new ScriptedCaller(voice, new Dialing(platform.Number(to), from), recordTo: recordTo, maxCall: TimeSpan.FromMinutes(2), tell: tell);
        return await caller.RunAsync(script);
    }

    /// <summary>A call that is up.</summary>
    public static async Task<PhoneCall> AnsweredAsync(this RunningPlatform platform, LoopbackPhone phone, string to, string from = KnownCaller)
    {
        var call = await phone.DialAsync(new Dialing(platform.Number(to), from));
        var established = await Until.DoneAsync($"an answer from {to}", call.Established, Patience);
        return established.IsAnswered ? call : throw new InvalidOperationException($"{to} was not answered: {established.Status} {established.Reason}");
    }

    /// <summary>What comes from now on, as 8 kHz samples, until there is this much of it or the call is over.</summary>
    public static async Task<short[]> HearAsync(this MediaListener ear, TimeSpan length)
    {
        var heard = new List<short>();
        var enough = (int)(length.TotalSeconds * 8_000);
        await foreach (var frame in ear.Frames.ReadAllAsync())
        {
            heard.AddRange(frame.Pcm.Span);
            if (heard.Count >= enough)
            {
                break;
            }
        }

        return [.. heard];
    }

    /// <summary>What a voice says, as 8 kHz samples.</summary>
    public static async Task<short[]> SpeakAsync(string text, string language = "tr", string? voice = "tr+f2")
    {
        using var synthesizer = Voice();
        var pcm = new List<short>();
        await foreach (var chunk in synthesizer.SynthesizeAsync(new(text, language, voice), CancellationToken.None))
        {
            pcm.AddRange(chunk.Pcm.Span);
        }

        return [.. pcm];
    }

    /// <summary>When the agent's words of this kind have been played to their end.</summary>
    public static Task<CallStory> PlayedAsync(this PlatformApi api, Guid callId, UtteranceKind kind, TimeSpan? limit = null) => Until.AsksAsync(
        $"the agent's {kind} to be heard in call {callId}",
        async () =>
        {
            var story = await api.StoryAsync(callId);
            var ids = story.All<PlaybackStarted>().Where(p => p.Kind == kind).Select(p => p.PlaybackId).ToHashSet();
            return story.All<PlaybackFinished>().Any(f => ids.Contains(f.PlaybackId)) ? story : null;
        },
        limit ?? Patience);

    public static IEnumerable<string> CallerLines(this CallStory story) =>
        story.All<TranscriptFinal>().Where(l => l.Speaker == Speaker.Caller).Select(l => l.Text);
}
