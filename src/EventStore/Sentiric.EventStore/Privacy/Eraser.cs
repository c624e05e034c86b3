using System.Security.Cryptography;
using System.Text;

namespace Sentiric.EventStore;

/// <summary>Whom to forget: subjects by id, and aliases in clear, which are only hashed.</summary>
/// <param name="Id">Doing it twice with the same id is quiet.</param>
/// <param name="Identifiers">Texts that must not be found anywhere afterwards, such as a phone number; looked for, never kept.</param>
public sealed record ErasureRequest(
    Guid Id, string Tenant, IReadOnlyList<string> Subjects, IReadOnlyList<string> Aliases, string Reason, string Actor, IReadOnlyList<string>? Identifiers = null);

/// <summary>What would be erased.</summary>
public sealed record ErasurePreview(string SubjectHash, IReadOnlyList<SubjectId> Subjects, int LivingKeys, IReadOnlyList<SubjectStream> Streams);

/// <summary>What a step of an erasure needs to know.</summary>
/// <param name="Position">Position of the erasure in the log.</param>
public sealed record ErasureContext(ErasureRecord Record, long Position, IReadOnlyList<string> Identifiers);

/// <summary>What a step did, and what it still found of the person.</summary>
public sealed record ErasureOutcome(long Count, IReadOnlyList<string>? Findings = null);

/// <summary>Clears away copies in clear in one place. Doing it twice is quiet.</summary>
public interface IErasureStep
{
    string Name { get; }

    ValueTask<ErasureOutcome> EraseAsync(ErasureContext context, CancellationToken ct);
}

/// <summary>
/// Forgets a person for good.
/// <code>
///   written down -> keys destroyed -> told in the log -> file of the keys written anew -> copies in clear cleared away -> receipt signed
///                   from here on nothing sealed can be read        projections blank their rows when they read it
/// </code>
/// A crash leaves a record that <see cref="ResumeAsync"/> finishes: every step may run twice.
/// </summary>
public sealed class Eraser(
    IEventStore store, PersonalDataProtection protection, IErasureRecords records, IReceiptSigner signer, TimeProvider clock, IReadOnlyList<IErasureStep> steps)
{
    /// <summary>An event names at most so many streams; more make more events.</summary>
    private const int MaxStreamsPerEvent = 500;
    private const int MaxEventsPerAppend = 500;

    public static string StreamOf(Guid erasure) => "erasure-" + erasure.ToString("D");

    public async ValueTask StartAsync(CancellationToken ct = default)
    {
        await protection.StartAsync(ct).ConfigureAwait(false);
        await records.StartAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Destroys nothing.</summary>
    public async ValueTask<ErasurePreview> PreviewAsync(ErasureRequest request, CancellationToken ct = default)
    {
        await protection.StartAsync(ct).ConfigureAwait(false);
        var subjects = request.Subjects.Select(s => new SubjectId(request.Tenant, s)).ToList();
        var hashes = request.Aliases.Select(protection.HashOf).ToList();
        var known = await protection.Vault.LookUpAsync(subjects, hashes, ct).ConfigureAwait(false);
        // An alias that nobody claimed is a subject of its own.
        var unclaimed = hashes.Select(h => new SubjectId(request.Tenant, h)).Except(known.Subjects).ToList();
        if (known.Subjects.Count == 0 && unclaimed.Count > 0) known = await protection.Vault.LookUpAsync(unclaimed, [], ct).ConfigureAwait(false);
        var hash = protection.HashOf(request.Tenant + "/" + (request.Subjects.Concat(hashes).FirstOrDefault() ?? ""));
        return new ErasurePreview(hash, known.Subjects, known.LivingKeys, [.. known.Streams.Select(s => new SubjectStream(s.Tenant, s.StreamId))]);
    }

    /// <summary>Returns with the receipt, or throws with the work half done; <see cref="ResumeAsync"/> or the same call finishes it.</summary>
    public async ValueTask<ErasureRecord> ForgetSubjectAsync(ErasureRequest request, CancellationToken ct = default)
    {
        if (await records.FindAsync(request.Id, ct).ConfigureAwait(false) is { } earlier)
            return earlier.State == ErasureState.Done ? earlier : await FinishAsync(earlier, request.Identifiers ?? [], ct).ConfigureAwait(false);
        var preview = await PreviewAsync(request, ct).ConfigureAwait(false);
        var record = new ErasureRecord(
            request.Id, request.Tenant, preview.SubjectHash, request.Reason, request.Actor, clock.GetUtcNow(), ErasureState.Begun, preview.Subjects, preview.Streams);
        await records.SaveAsync(record, ct).ConfigureAwait(false);
        return await FinishAsync(record, request.Identifiers ?? [], ct).ConfigureAwait(false);
    }

    /// <summary>Finishes what a crash interrupted; answers how many erasures that were. Texts to look for are not kept, so these are not searched for again.</summary>
    public async ValueTask<int> ResumeAsync(CancellationToken ct = default)
    {
        var unfinished = await records.UnfinishedAsync(ct).ConfigureAwait(false);
        foreach (var record in unfinished) await FinishAsync(record, [], ct).ConfigureAwait(false);
        return unfinished.Count;
    }

    /// <summary>Wraps all data keys anew with the current master key, in small transactions; broken off, it goes on where it stood.</summary>
    public async ValueTask RotateMasterKeyAsync(IProgress<long>? left = null, CancellationToken ct = default)
    {
        const int keysPerTransaction = 500;
        for (var remaining = long.MaxValue; remaining > 0;)
        {
            remaining = await protection.Vault.RewrapAsync(keysPerTransaction, ct).ConfigureAwait(false);
            left?.Report(remaining);
        }
        await protection.Vault.ShredAsync(ct).ConfigureAwait(false);
    }

    private async ValueTask<ErasureRecord> FinishAsync(ErasureRecord record, IReadOnlyList<string> identifiers, CancellationToken ct)
    {
        record = await DestroyAsync(record, ct).ConfigureAwait(false);
        var position = await TellAsync(record, ct).ConfigureAwait(false);
        await protection.Vault.ShredAsync(ct).ConfigureAwait(false);
        var context = new ErasureContext(record, position, identifiers);
        var (counts, findings) = (new Dictionary<string, long>(StringComparer.Ordinal), new List<string>());
        foreach (var step in steps)
        {
            var outcome = await step.EraseAsync(context, ct).ConfigureAwait(false);
            counts[step.Name] = outcome.Count;
            findings.AddRange(outcome.Findings ?? []);
        }
        var receipt = new ErasureReceipt(
            record.Id, record.Tenant, record.SubjectHash, record.Reason, record.Actor, record.RequestedAt, record.DestroyedAt ?? record.RequestedAt, clock.GetUtcNow(),
            record.KeysDestroyed, record.Streams.Count, counts, findings);
        record = record with { State = ErasureState.Done, Receipt = signer.Signed(receipt) };
        await records.SaveAsync(record, ct).ConfigureAwait(false);
        return record;
    }

    private async ValueTask<ErasureRecord> DestroyAsync(ErasureRecord record, CancellationToken ct)
    {
        if (record.State != ErasureState.Begun) return record;
        // Since it was written down (a crash may lie in between) the person may have become known under another alias as well, and been in further streams.
        var person = await protection.Vault.LookUpAsync(record.Subjects, [], ct).ConfigureAwait(false);
        var subjects = record.Subjects.Union(person.Subjects).ToList();
        var destroyed = await protection.Vault.DestroyAsync(subjects, ct).ConfigureAwait(false);
        await protection.RefreshAsync(ct).ConfigureAwait(false);
        // Asked now that no further event can be sealed for the person.
        var known = await protection.Vault.LookUpAsync(subjects, [], ct).ConfigureAwait(false);
        var streams = record.Streams.Union(known.Streams.Select(s => new SubjectStream(s.Tenant, s.StreamId))).ToList();
        record = record with
        {
            State = ErasureState.Destroyed, Subjects = subjects, Streams = streams, KeysDestroyed = record.KeysDestroyed + destroyed, DestroyedAt = clock.GetUtcNow(),
        };
        await records.SaveAsync(record, ct).ConfigureAwait(false);
        return record;
    }

    private async ValueTask<long> TellAsync(ErasureRecord record, CancellationToken ct)
    {
        var fact = protection.Map.Erasure ?? throw new InvalidOperationException("The map of personal data names no event for an erasure.");
        var chunks = record.Streams.Count == 0 ? [[]] : record.Streams.Chunk(MaxStreamsPerEvent).ToList();
        var at = record.DestroyedAt ?? record.RequestedAt;
        var events = chunks.Select((streams, i) => new EventData(
            IdOf(record.Id, i), fact.Make(new ErasedData(record.Id, record.SubjectHash, streams, at)), new EventMetadata(Actor: record.Actor, OccurredAt: at)));
        var position = 0L;
        foreach (var part in events.Chunk(MaxEventsPerAppend))
        {
            var result = await store.AppendToStreamAsync(record.Tenant, StreamOf(record.Id), ExpectedVersion.Any, part, new AppendOptions(Idempotent: true), ct).ConfigureAwait(false);
            position = Math.Max(position, result.LastPosition);
        }
        return position;
    }

    private static Guid IdOf(Guid erasure, int part) =>
        new(SHA256.HashData(Encoding.ASCII.GetBytes($"{erasure:D}/{part.ToString(System.Globalization.CultureInfo.InvariantCulture)}")).AsSpan(0, 16));
}
