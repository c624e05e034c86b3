using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sentiric.Speech;

/// <summary>
/// What a CTC model says of itself in the JSON file beside it (same name, .json). Unknown fields are left alone; a missing file means the
/// defaults: the Turkish alphabet, 8 kHz, frames of 30 ms.
/// </summary>
public sealed record CtcModelCard
{
    [JsonPropertyName("languages")]
    public IReadOnlyList<string> Languages { get; init; } = ["tr"];

    /// <summary>SHA-256 of the network that the card belongs to, in hex; checked before it is loaded.</summary>
    [JsonPropertyName("sha256")]
    public string? Sha256 { get; init; }

    /// <summary>The letters in the order of the outputs, the space among them; the blank stands before them as output 0.</summary>
    [JsonPropertyName("alphabet")]
    public string Alphabet { get; init; } = CtcAlphabet.Turkish;

    [JsonPropertyName("sample_rate")]
    public int SampleRate { get; init; } = 8000;

    /// <summary>Samples behind one output frame.</summary>
    [JsonPropertyName("frame_samples")]
    public int FrameSamples { get; init; } = 240;

    public static CtcModelCard BesideModel(string modelPath)
    {
        string path = Path.ChangeExtension(modelPath, ".json");
        if (!File.Exists(path))
        {
            return new CtcModelCard();
        }

        try
        {
            var card = JsonSerializer.Deserialize<CtcModelCard>(File.ReadAllText(path)) ?? throw new JsonException("The file is empty.");
            _ = new CtcAlphabet(card.Alphabet);
            return card;
        }
        catch (Exception wrong) when (wrong is JsonException or ArgumentException)
        {
            throw new SpeechEngineException(
                SpeechFault.ModelCorrupt, $"The model card {path} cannot be read: {wrong.Message}", "Fetch it again together with its model.", wrong);
        }
    }
}
