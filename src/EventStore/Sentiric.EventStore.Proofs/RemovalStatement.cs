using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// What a notary signs of a lawful removal: the record that says which events are gone, why and by whom. Statements name the one before, as checkpoints do,
/// so none can be left out in between.
/// </summary>
/// <param name="Number">1, 2, 3 ...</param>
/// <param name="Record">Leaf of the record, see <see cref="AuditHash.RemovalLeaf"/>, in hexadecimal.</param>
/// <param name="Previous">SHA-256 over the text of the statement before; 32 zero bytes for the first.</param>
/// <param name="SignedAt">When the notary saw the record. The record itself says when the removal was; a long time between the two wants a reason.</param>
public sealed record RemovalStatement(long Number, string Record, string Previous, DateTimeOffset SignedAt, string KeyId)
{
    private const string Title = "sentiric.audit.removal.1";
    private static readonly string[] Names = ["removal", "record", "previous", "signed_at", "key"];

    /// <summary>The signed text, ending with a line feed.</summary>
    public string Text => string.Create(
        CultureInfo.InvariantCulture, $"{Title}\nremoval {Number}\nrecord {Record}\nprevious {Previous}\nsigned_at {AuditTime.Text(SignedAt)}\nkey {KeyId}\n");

    /// <summary>What the next statement names as its previous.</summary>
    public string Hash => AuditHash.Hex(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    /// <summary>Null unless the text is, character by character, what <see cref="Text"/> would write.</summary>
    public static RemovalStatement? Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length != Names.Length + 2 || lines[0] != Title) return null;
        for (var i = 0; i < Names.Length; i++)
        {
            if (!lines[i + 1].StartsWith(Names[i] + " ", StringComparison.Ordinal)) return null;
            lines[i + 1] = lines[i + 1][(Names[i].Length + 1)..];
        }
        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || AuditTime.Moment(lines[4]) is not { } signedAt) return null;
        var parsed = new RemovalStatement(number, lines[2], lines[3], signedAt, lines[5]);
        return parsed.Text == text ? parsed : null;
    }
}
