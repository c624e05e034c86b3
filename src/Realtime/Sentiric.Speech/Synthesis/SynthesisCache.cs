using System.Runtime.CompilerServices;

namespace Sentiric.Speech;

/// <summary>
/// Keeps spoken prompts: the same text, voice, speaking rate and sample rate is made once. Bounded by the audio that it holds;
/// at the bound the prompt that was not asked for the longest goes. Put only fixed prompts through it, never what a caller said.
/// </summary>
public sealed class SynthesisCache(ISpeechSynthesizer inner, TimeSpan? capacity = null) : ISpeechSynthesizer
{
    /// <summary>Audio kept at most; ten minutes at 8 kHz are 9.6 MB.</summary>
    public static readonly TimeSpan DefaultCapacity = TimeSpan.FromMinutes(10);

    private readonly TimeSpan capacity = capacity ?? DefaultCapacity;
    private readonly Lock gate = new();
    private readonly Dictionary<SynthesisRequest, LinkedListNode<Prompt>> known = [];
    private readonly LinkedList<Prompt> byUse = new();
    private TimeSpan held;

    public string Engine => inner.Engine;

    public IReadOnlyList<VoiceInfo> Voices => inner.Voices;

    public TimeSpan Held
    {
        get
        {
            lock (gate)
            {
                return held;
            }
        }
    }

    public async IAsyncEnumerable<AudioChunk> SynthesizeAsync(
        SynthesisRequest request, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (Find(request) is { } prompt)
        {
            foreach (var chunk in prompt.Audio)
            {
                cancel.ThrowIfCancellationRequested();
                yield return chunk;
            }

            yield break;
        }

        var audio = new List<AudioChunk>();
        await foreach (var chunk in inner.SynthesizeAsync(request, cancel).WithCancellation(cancel))
        {
            audio.Add(chunk);
            yield return chunk;
        }

        // only a prompt that was spoken to its end gets here
        Keep(request, audio);
    }

    private Prompt? Find(SynthesisRequest request)
    {
        lock (gate)
        {
            if (!known.TryGetValue(request, out var node))
            {
                return null;
            }

            byUse.Remove(node);
            byUse.AddFirst(node);
            return node.Value;
        }
    }

    private void Keep(SynthesisRequest request, List<AudioChunk> audio)
    {
        var prompt = new Prompt(request, audio, audio.Aggregate(TimeSpan.Zero, (sum, chunk) => sum + chunk.Duration));
        lock (gate)
        {
            if (prompt.Length > capacity || known.ContainsKey(request))
            {
                return;
            }

            known[request] = byUse.AddFirst(prompt);
            held += prompt.Length;
            while (held > capacity && byUse.Last is { } oldest)
            {
                byUse.RemoveLast();
                known.Remove(oldest.Value.Request);
                held -= oldest.Value.Length;
            }
        }
    }

    private sealed record Prompt(SynthesisRequest Request, IReadOnlyList<AudioChunk> Audio, TimeSpan Length);
}
