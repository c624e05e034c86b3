namespace Sentiric.EventStore;

/// <summary>
/// Where the wrapped data keys of persons are kept, with who means whom and who is in which stream. It may be a database of its own, with its own,
/// shorter, retention of backups. Implementations are safe for many threads and processes.
/// </summary>
public interface ISubjectVault
{
    /// <summary>Creates what is missing, compares the master keys with what they wrapped (throws <see cref="MasterKeyException"/>) and returns the key that hashes aliases.</summary>
    internal ValueTask<byte[]> StartAsync(CancellationToken ct);

    /// <summary>
    /// Resolves each wish to a subject, makes a key for those that have none, and notes that the subject is in the stream; one round trip.
    /// It runs before the events are stored, so that no event can ever have a subject that the vault does not know of.
    /// </summary>
    internal ValueTask<IReadOnlyList<SubjectKey>> AcquireAsync(StreamAddress stream, IReadOnlyList<SubjectWish> wishes, CancellationToken ct);

    /// <summary>The keys that still exist among these; one round trip.</summary>
    internal ValueTask<IReadOnlyList<SubjectKey>> FindAsync(IReadOnlyCollection<string> keyIds, CancellationToken ct);

    /// <summary>Ids of keys destroyed since a little before the last call's moment, and this call's moment; one round trip.</summary>
    internal ValueTask<(IReadOnlyList<string> KeyIds, DateTimeOffset Now)> DestroyedSinceAsync(DateTimeOffset? since, CancellationToken ct);

    /// <summary>Streams stored under a private beginning before private streams were hashed; they keep their names.</summary>
    internal ValueTask<IReadOnlyList<StreamAddress>> PlainStreamsAsync(IReadOnlyList<string> beginnings, CancellationToken ct);

    /// <summary>The subject and everything else that is the same person.</summary>
    internal ValueTask<SubjectRecord> LookUpAsync(IReadOnlyList<SubjectId> subjects, IReadOnlyList<string> aliases, CancellationToken ct);

    /// <summary>Destroys the living keys of the subjects for good and forgets what aliases mean them; answers how many keys. Doing it twice is quiet.</summary>
    internal ValueTask<int> DestroyAsync(IReadOnlyList<SubjectId> subjects, CancellationToken ct);

    /// <summary>Makes sure that nothing of destroyed keys is left in the storage's own files.</summary>
    internal ValueTask ShredAsync(CancellationToken ct);

    /// <summary>Wraps up to <paramref name="count"/> keys anew with the current master key; answers how many are left.</summary>
    internal ValueTask<long> RewrapAsync(int count, CancellationToken ct);
}

/// <summary>The full name of a subject.</summary>
public readonly record struct SubjectId(string Tenant, string Id)
{
    public override string ToString() => $"{Tenant}/{Id}";
}

/// <summary>Whom a fact is about, as asked: a subject, or whoever an alias means, or (both null) whom the stream named last.</summary>
/// <param name="Alias">Already hashed.</param>
internal readonly record struct SubjectWish(string Tenant, string? Subject, string? Alias, string[] Aliases, AliasChange Change)
{
    public string Name => $"{Tenant}\n{Subject}\n{Alias}";
}

/// <summary>A living data key.</summary>
internal sealed record SubjectKey(SubjectId Subject, string KeyId, byte[] Key);

/// <summary>What the vault knows of a person.</summary>
internal sealed record SubjectRecord(IReadOnlyList<SubjectId> Subjects, int LivingKeys, IReadOnlyList<StreamAddress> Streams);
