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
/// <param name="Order">Id of the key that ordered the removal, <see cref="NoOrder"/> when none did; null in statements of the first form, which do not say.</param>
public sealed record RemovalStatement(long Number, string Record, string Previous, DateTimeOffset SignedAt, string KeyId, string? Order = null)
{
    public const string NoOrder = "none";

    private const string FirstTitle = "sentiric.audit.removal.1";
    private const string Title = "sentiric.audit.removal.2";
    private static readonly string[] FirstNames = ["removal", "record", "previous", "signed_at", "key"];
    private static readonly string[] Names = ["removal", "record", "order", "previous", "signed_at", "key"];

    /// <summary>The signed text, ending with a line feed.</summary>
    public string Text => Order is null
        ? string.Create(CultureInfo.InvariantCulture, $"{FirstTitle}\nremoval {Number}\nrecord {Record}\nprevious {Previous}\nsigned_at {AuditTime.Text(SignedAt)}\nkey {KeyId}\n")
        : string.Create(CultureInfo.InvariantCulture, $"{Title}\nremoval {Number}\nrecord {Record}\norder {Order}\nprevious {Previous}\nsigned_at {AuditTime.Text(SignedAt)}\nkey {KeyId}\n");

    /// <summary>What the next statement names as its previous.</summary>
    public string Hash => AuditHash.Hex(SHA256.HashData(Encoding.UTF8.GetBytes(Text)));

    /// <summary>Null unless the text is, character by character, what <see cref="Text"/> would write.</summary>
    public static RemovalStatement? Parse(string text)
    {
        var lines = text.Split('\n');
        var names = lines[0] switch { FirstTitle => FirstNames, Title => Names, _ => [] };
        if (names.Length == 0 || lines.Length != names.Length + 2) return null;
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Length; i++)
        {
            if (!lines[i + 1].StartsWith(names[i] + " ", StringComparison.Ordinal)) return null;
            said[names[i]] = lines[i + 1][(names[i].Length + 1)..];
        }
        if (!long.TryParse(said["removal"], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || AuditTime.Moment(said["signed_at"]) is not { } signedAt) return null;
        var parsed = new RemovalStatement(number, said["record"], said["previous"], signedAt, said["key"], said.GetValueOrDefault("order"));
        return parsed.Text == text ? parsed : null;
    }
}

/// <summary>
/// What whoever orders a removal signs, in the transaction that removes: the leaf of its record, so every field of it. Somebody who may write to the tables
/// and has no key can write a record, but not its order.
/// </summary>
public static class RemovalOrder
{
    /// <summary>The signed text, ending with a line feed.</summary>
    public static string Text(string record, string keyId) => $"sentiric.audit.order.1\nrecord {record}\nkey {keyId}\n";
}
