using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// What a notary signs: a block of events, where it stands in the chain of blocks, and every stream as it is after it.
/// </summary>
/// <param name="Number">1, 2, 3 ...</param>
/// <param name="From">First position that the block speaks about; one behind the block before.</param>
/// <param name="To">Position of its last event. What is missing in between is missing for good.</param>
/// <param name="Root">Merkle root over the leaves of the block's events, by position.</param>
/// <param name="Entries">SHA-256 over the list of the block's events as the store keeps it.</param>
/// <param name="Streams">How many streams there are.</param>
/// <param name="Directory">Merkle root over all streams, in the order of their first events.</param>
/// <param name="Previous">SHA-256 over the text of the checkpoint before; 32 zero bytes for the first.</param>
public sealed record Checkpoint(
    long Number, long From, long To, int Events, string Root, string Entries, long Streams, string Directory, string Previous, DateTimeOffset SignedAt, string KeyId)
{
    private const string Title = "sentiric.audit.checkpoint.1";
    private static readonly string[] Names = ["block", "from", "to", "events", "root", "entries", "streams", "directory", "previous", "signed_at", "key"];

    public static string NoPrevious { get; } = new('0', AuditHash.Size * 2);

    /// <summary>The signed text, ending with a line feed.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"""
        {Title}
        block {Number}
        from {From}
        to {To}
        events {Events}
        root {Root}
        entries {Entries}
        streams {Streams}
        directory {Directory}
        previous {Previous}
        signed_at {AuditTime.Text(SignedAt)}
        key {KeyId}

        """).ReplaceLineEndings("\n");

    /// <summary>What the next checkpoint names as its previous.</summary>
    public string Hash => AuditHash.Hex(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    /// <summary>Null unless the text is, character by character, what <see cref="Text"/> would write.</summary>
    public static Checkpoint? Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length != Names.Length + 2 || lines[0] != Title) return null;
        var values = new string[Names.Length];
        for (var i = 0; i < Names.Length; i++)
        {
            if (!lines[i + 1].StartsWith(Names[i] + " ", StringComparison.Ordinal)) return null;
            values[i] = lines[i + 1][(Names[i].Length + 1)..];
        }
        if (ReadNumber(values[0]) is not { } number || ReadNumber(values[1]) is not { } from || ReadNumber(values[2]) is not { } to
            || ReadNumber(values[3]) is not ({ } events and <= int.MaxValue) || ReadNumber(values[6]) is not { } streams || AuditTime.Moment(values[9]) is not { } signedAt) return null;
        var parsed = new Checkpoint(number, from, to, (int)events, values[4], values[5], streams, values[7], values[8], signedAt, values[10]);
        return parsed.Text == text ? parsed : null;
    }

    private static long? ReadNumber(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>A checkpoint as it is kept and handed out: the text and the signature over it.</summary>
public sealed record SignedCheckpoint(string Statement, byte[] Signature)
{
    /// <summary>What the text says; null when it is none.</summary>
    public Checkpoint? Read() => Checkpoint.Parse(Statement);

    /// <summary>One line of JSON, the form of anchors in files.</summary>
    public string ToLine() => JsonSerializer.Serialize(this, ProofFormats.Lines.SignedCheckpoint);

    /// <summary>Null when the line is none.</summary>
    public static SignedCheckpoint? OfLine(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ProofFormats.Lines.SignedCheckpoint);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
