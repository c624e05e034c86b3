using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sentiric.EventStore.Proofs;

/// <summary>
/// The proof of one stream: everything that is needed to check it with a public key and without the database.
/// The events lead over the chain to the head, the head with the stream's data over the path to the signed root.
/// </summary>
/// <param name="Ordinal">Place of the stream in the directory, from 0.</param>
/// <param name="Version">Version of the last proven event.</param>
/// <param name="Created">When the stream was made; null when its row was gone already.</param>
/// <param name="Appended">When it was last appended to, as of the checkpoint.</param>
/// <param name="Pending">Events behind the checkpoint, which are stored and not proven yet.</param>
public sealed record StreamProof(
    string Format, string Tenant, string Stream, long Ordinal, long Version, string? Type, string? Created, string? Appended,
    IReadOnlyList<ProvenEvent> Events, DirectoryPath Directory, SignedCheckpoint Checkpoint, IReadOnlyList<KeyRecord> Keys, int Pending)
{
    public const string CurrentFormat = "sentiric.audit.proof.1";

    public string ToJson() => JsonSerializer.Serialize(this, ProofFormats.Files.StreamProof);

    /// <summary>Throws <see cref="JsonException"/> when the text is no proof.</summary>
    public static StreamProof OfJson(string json) =>
        JsonSerializer.Deserialize(json, ProofFormats.Files.StreamProof) is { Format: CurrentFormat } proof ? proof : throw new JsonException($"This is no '{CurrentFormat}'.");

    /// <summary>Everything that does not hold; nothing when the proof stands. At least one key must be given: a proof cannot vouch for its own key.</summary>
    public IReadOnlyList<string> Check(IReadOnlyList<AuditPublicKey> trusted)
    {
        var faults = new List<string>();
        CheckSignature(trusted, faults);
        var leaves = Events.Select(e => e.LeafHash(Tenant, Stream)).ToList();
        for (var i = 0; i < leaves.Count; i++)
        {
            if (leaves[i] is null) faults.Add($"event {Events[i].Version}: a field cannot be read");
        }
        if (leaves.Any(l => l is null)) return faults;
        var head = AuditHash.Genesis(Ordinal, Tenant, Stream);
        foreach (var leaf in leaves) AuditHash.Link(head, leaf, head);
        CheckVersions(faults);
        CheckDirectory(head, faults);
        return faults;
    }

    private void CheckSignature(IReadOnlyList<AuditPublicKey> trusted, List<string> faults)
    {
        if (Checkpoint.Read() is not { } statement)
        {
            faults.Add("the checkpoint is none");
            return;
        }
        var trust = new KeyTrust(Keys, trusted);
        faults.AddRange(trust.Faults.Select(f => $"key {f.KeyId}: {f.Why}"));
        if (!trust.Counts(statement.KeyId)) faults.Add($"the checkpoint is signed with key {statement.KeyId}, and no given key vouches for it");
        if (trust.Find(statement.KeyId)?.Signed(Checkpoint.Statement, Checkpoint.Signature) != true) faults.Add("the signature of the checkpoint is wrong");
    }

    private void CheckVersions(List<string> faults)
    {
        if (Events.Count > 0 && Events[^1].Version != Version) faults.Add($"the last event has version {Events[^1].Version}, the directory says {Version}");
        for (var i = 1; i < Events.Count; i++)
        {
            if (Events[i].Position <= Events[i - 1].Position) faults.Add($"event {Events[i].Version}: its position is not behind the one before");
        }
    }

    private void CheckDirectory(byte[] head, List<string> faults)
    {
        var (created, appended) = (Created is null ? null : AuditTime.Parse(Created), Appended is null ? null : AuditTime.Parse(Appended));
        var leaf = new byte[AuditHash.Size];
        AuditHash.StreamLeaf(StreamFields.Image(Ordinal, Tenant, Stream, Version, head, Type, created, appended).Written, leaf);
        var path = Directory.Path.Select(p => HexOrNothing(p)).ToList();
        var root = MerkleTree.RootFromPath(Ordinal, Directory.Size, leaf, path);
        var statement = Checkpoint.Read();
        if (root is null || statement is null || statement.Streams != Directory.Size || AuditHash.Hex(root) != statement.Directory)
            faults.Add("events, head and path do not lead to the signed root: something in them was changed, left out or added");
    }

    private static byte[] HexOrNothing(string hex)
    {
        try
        {
            return Convert.FromHexString(hex);
        }
        catch (FormatException)
        {
            return [];
        }
    }
}

/// <summary>The hashes from the stream's leaf to the directory's root, nearest first, and how many streams the tree has.</summary>
public sealed record DirectoryPath(long Size, IReadOnlyList<string> Path);

/// <summary>
/// One event with every field that its leaf covers; <see cref="Data"/> and <see cref="Headers"/> are JSON as text, since every character counts.
/// Of an event that was removed by right only <see cref="Leaf"/> is left.
/// </summary>
public sealed record ProvenEvent(long Position, long Version)
{
    /// <summary>Hexadecimal; set when the event itself was removed by right.</summary>
    public string? Leaf { get; init; }

    public Guid? Id { get; init; }

    public string? Type { get; init; }

    public string? Timestamp { get; init; }

    public string? Data { get; init; }

    public byte[]? BinaryData { get; init; }

    public string? DotnetType { get; init; }

    public string? CorrelationId { get; init; }

    public string? CausationId { get; init; }

    public string? Headers { get; init; }

    public string? UserName { get; init; }

    private bool HasFields =>
        Id is not null || (Type ?? Timestamp ?? Data ?? DotnetType ?? CorrelationId ?? CausationId ?? Headers ?? UserName) is not null || BinaryData is not null;

    /// <summary>Null when a field is missing or unreadable, or stands beside a bare leaf.</summary>
    public byte[]? LeafHash(string tenant, string stream)
    {
        var hash = new byte[AuditHash.Size];
        // Fields beside a bare leaf are covered by nothing: somebody put them there.
        if (Leaf is not null && HasFields) return null;
        if (Leaf is not null) return Convert.FromHexString(Leaf, hash, out _, out var written) == System.Buffers.OperationStatus.Done && written == hash.Length ? hash : null;
        if (Id is not { } id || Type is null || Timestamp is null || Data is null || AuditTime.Parse(Timestamp) is not { } moment) return null;
        var fields = new TupleImage().Int64(Position).Text(tenant).Text(stream).Int64(Version).Uuid(id).Text(Type).Int64(moment)
            .Text(Data).Bytes(BinaryData).Text(DotnetType).Text(CorrelationId).Text(CausationId).Text(Headers).Text(UserName);
        AuditHash.EventLeaf(fields.Written, hash);
        return hash;
    }
}

/// <summary>The fields of a stream's leaf in the directory, in their order.</summary>
public static class StreamFields
{
    public static TupleImage Image(long ordinal, string tenant, string stream, long version, byte[] head, string? type, long? created, long? appended) =>
        Write(new TupleImage(), ordinal, tenant, stream, version, head, type, created, appended);

    /// <summary>The same into an image that is used again and again.</summary>
    public static TupleImage Write(TupleImage image, long ordinal, string tenant, string stream, long version, byte[] head, string? type, long? created, long? appended) =>
        image.Clear().Int64(ordinal).Text(tenant).Text(stream).Int64(version).Bytes(head).Text(type).Int64(created).Int64(appended);
}

/// <summary>How proofs and anchors are written: snake_case, bytes in base 64.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StreamProof))]
[JsonSerializable(typeof(SignedCheckpoint))]
internal sealed partial class ProofJson : JsonSerializerContext;

/// <summary>Text as people read it: no escapes beyond what JSON asks for.</summary>
internal static class ProofFormats
{
    private static readonly System.Text.Encodings.Web.JavaScriptEncoder Plain = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static ProofJson Lines { get; } = new(Strict(isIndented: false));

    public static ProofJson Files { get; } = new(Strict(isIndented: true));

    // A name twice, or one that nobody checks, could show a reader something else than what was proven.
    private static JsonSerializerOptions Strict(bool isIndented) => new(ProofJson.Default.Options)
    {
        Encoder = Plain, WriteIndented = isIndented, AllowDuplicateProperties = false, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };
}
