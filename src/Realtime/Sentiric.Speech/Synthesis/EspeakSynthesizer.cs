using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Sentiric.Speech;

/// <summary>
/// espeak-ng as a child process, one per request: its licence stays on its side of the process border and a cancelled text costs one kill.
/// The text goes in by stdin; the WAV that comes out is levelled, resampled and passed on as it arrives.
/// Besides the listed voices it takes any variant by name ("tr+f4").
/// </summary>
public sealed partial class EspeakSynthesizer(EspeakOptions options) : ISpeechSynthesizer, IDisposable
{
    public const int MaxTextLength = 10_000;
    private const int NativeRate = 22_050;
    private const int UsualWordsPerMinute = 175;
    private const int ReadBytes = 8192;
    private const int ChunkMs = 200;
    private readonly SemaphoreSlim children = new(options.MaxProcesses, options.MaxProcesses);

    public string Engine => "espeak-ng";

    public IReadOnlyList<VoiceInfo> Voices { get; } =
    [
        Voice("tr", "tr", "Türkçe"),
        Voice("tr+f2", "tr", "Türkçe, kadın"),
        Voice("tr+m3", "tr", "Türkçe, erkek"),
        Voice("en", "en", "English"),
        Voice("en+f3", "en", "English, female"),
        Voice("en+m3", "en", "English, male"),
    ];

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(
        SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        string voice = VoiceFor(request);
        string text = Plain(request.Text);
        if (text.Length == 0)
        {
            yield break;
        }

        await children.WaitAsync(cancel);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            limit.CancelAfter(options.TimeLimit);
            await foreach (var chunk in SpeakAsync(text, voice, request, limit.Token).WithCancellation(cancel))
            {
                yield return chunk;
            }

            cancel.ThrowIfCancellationRequested();
            if (limit.IsCancellationRequested)
            {
                throw Failed($"espeak-ng did not finish within {options.TimeLimit}.");
            }
        }
        finally
        {
            children.Release();
        }
    }

    public void Dispose() => children.Dispose();

    /// <summary>Ends quietly when cancelled: the caller knows whether that was its own wish or the time limit.</summary>
    private async IAsyncEnumerable<AudioChunk> SpeakAsync(
        string text, string voice, SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var child = Start(voice, request.Rate);
        try
        {
            // a killed child closes its pipe, which ends the read below on every platform
            await using var killed = cancel.Register(static state => Kill((Process)state!), child);
            var complaints = child.StandardError.ReadToEndAsync(CancellationToken.None);
            await FeedAsync(child, text);
            var stream = child.StandardOutput.BaseStream;
            var output = new SpokenAudio(await ReadHeaderAsync(stream), request.SampleRate, options.LevelDb, ChunkMs);
            var bytes = new byte[ReadBytes];
            int carried = 0;
            for (int read; !cancel.IsCancellationRequested && (read = await stream.ReadAsync(bytes.AsMemory(carried), CancellationToken.None)) > 0;)
            {
                int whole = (carried + read) & ~1;
                foreach (var chunk in output.Add(Samples(bytes.AsSpan(0, whole))))
                {
                    yield return chunk;
                }

                carried = carried + read - whole;
                bytes[0] = carried == 1 ? bytes[whole] : (byte)0;
            }

            if (cancel.IsCancellationRequested)
            {
                yield break;
            }

            await child.WaitForExitAsync(CancellationToken.None);
            Judge(child.ExitCode, await complaints, voice, output.HasAudio);
            foreach (var chunk in output.Finish())
            {
                yield return chunk;
            }
        }
        finally
        {
            Kill(child);
        }
    }

    private Process Start(string voice, double rate)
    {
        var start = new ProcessStartInfo(options.Program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            UseShellExecute = false,
        };
        int speed = (int)(UsualWordsPerMinute * Math.Clamp(rate, 0.5, 2.0));
        foreach (string argument in (string[])["--stdin", "--stdout", "-b", "1", "-v", voice, "-s", speed.ToString(CultureInfo.InvariantCulture)])
        {
            start.ArgumentList.Add(argument);
        }

        SetWhenGiven(start, "LD_LIBRARY_PATH", options.LibraryPath);
        SetWhenGiven(start, "ESPEAK_DATA_PATH", options.DataPath);
        try
        {
            return Process.Start(start) ?? throw Missing(null);
        }
        catch (Win32Exception notStarted)
        {
            throw Missing(notStarted);
        }
    }

    private static void SetWhenGiven(ProcessStartInfo start, string name, string? value)
    {
        if (value is not null)
        {
            start.Environment[name] = value;
        }
    }

    private static async Task FeedAsync(Process child, string text)
    {
        try
        {
            await child.StandardInput.WriteAsync(text);
            child.StandardInput.Close();
        }
        catch (IOException)
        {
            // the child died or was killed before it read its text; its exit code tells the rest
        }
    }

    /// <summary>Reads up to the first sample; returns the sample rate. A child that ended without a word has the usual rate and no samples.</summary>
    private static async Task<int> ReadHeaderAsync(Stream stream)
    {
        var header = new byte[WavFile.HeaderBytes];
        int read = await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, CancellationToken.None);
        return read == header.Length && header.AsSpan(0, 4).SequenceEqual("RIFF"u8)
            ? BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(24))
            : NativeRate;
    }

    private static short[] Samples(ReadOnlySpan<byte> bytes)
    {
        var samples = new short[bytes.Length / sizeof(short)];
        for (int i = 0; i < samples.Length; i++)
        {
            samples[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(i * sizeof(short))..]);
        }

        return samples;
    }

    private static void Judge(int exitCode, string complaints, string voice, bool hasAudio)
    {
        if (exitCode != 0 && complaints.Contains("voice does not exist", StringComparison.Ordinal))
        {
            throw new SpeechEngineException(
                SpeechFault.VoiceUnsupported, $"espeak-ng has no voice \"{voice}\".", "Choose a voice from the list or install espeak-ng-data.");
        }

        if (exitCode != 0 || !hasAudio)
        {
            throw Failed($"espeak-ng ended with code {exitCode}{(hasAudio ? "" : " and without audio")}: {FirstLine(complaints)}");
        }
    }

    private static string FirstLine(string text) => text.Split('\n', 2)[0].Trim();

    private static void Kill(Process child)
    {
        try
        {
            if (!child.HasExited)
            {
                child.Kill();
            }
        }
        catch (Exception alreadyGone) when (alreadyGone is InvalidOperationException or Win32Exception)
        {
            // it ended between the question and the kill
        }
    }

    private string VoiceFor(SynthesisRequest request)
    {
        if (request.Voice is { } asked)
        {
            return VoiceName().IsMatch(asked)
                ? asked
                : throw new SpeechEngineException(
                    SpeechFault.VoiceUnsupported, $"\"{asked}\" is not the name of an espeak-ng voice.", "A voice reads like \"tr\" or \"tr+f2\".");
        }

        string language = SpeechLanguage.Primary(request.Language);
        return Voices.FirstOrDefault(voice => voice.Language == language)?.Id ?? throw new SpeechEngineException(
            SpeechFault.LanguageUnsupported,
            $"There is no voice for the language \"{request.Language}\".",
            "Ask for Turkish (tr) or English (en), or name an espeak-ng voice.");
    }

    /// <summary>Without control characters and without "[[", which espeak-ng takes for phoneme codes.</summary>
    private static string Plain(string text)
    {
        if (text.Length > MaxTextLength)
        {
            throw Failed($"The text has {text.Length} characters; at most {MaxTextLength} are spoken at once.");
        }

        var plain = new StringBuilder(text.Length);
        foreach (char letter in text)
        {
            plain.Append(char.IsControl(letter) ? ' ' : letter);
        }

        return plain.Replace("[[", " ").Replace("]]", " ").ToString().Trim();
    }

    private SpeechEngineException Missing(Exception? inner) => new(
        SpeechFault.ProgramMissing,
        $"The speech program \"{options.Program}\" could not be started.",
        "Install espeak-ng (on Debian: apt-get install espeak-ng) or set its path in the speech settings.",
        inner);

    private static SpeechEngineException Failed(string what) =>
        new(SpeechFault.EngineFailed, what, "Run espeak-ng by hand with the same voice to see what is wrong.");

    private static VoiceInfo Voice(string id, string language, string name) => new(id, language, name, NativeRate, "formant synthesis, unencumbered");

    [GeneratedRegex(@"^[a-z]{2,3}(-[a-z0-9]{1,12}){0,3}(\+[A-Za-z0-9_]{1,32})?$", RegexOptions.CultureInvariant)]
    private static partial Regex VoiceName();
}
