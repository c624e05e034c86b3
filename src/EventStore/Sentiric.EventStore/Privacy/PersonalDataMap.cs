using System.Collections.Frozen;
using System.Text;

namespace Sentiric.EventStore;

/// <summary>What a reader gets for a member whose key was destroyed.</summary>
public enum WhenErased
{
    /// <summary>The text <see cref="PersonalDataMap.Placeholder"/>: for members that may not be missing.</summary>
    Placeholder,
    Null,
}

/// <summary>
/// A member that tells of a person. <see cref="Path"/> goes from the stored payload: <c>From</c>, <c>Resolution.Trace[]</c> (each text of a list),
/// <c>Parameters.*</c> (each value of a dictionary), <c>Hits[].Title</c>. Only texts are sealed: a number, a list or an object at the end of a path stays
/// as it is, because a sealed member is a JSON string and the type would no longer fit for whoever reads the table without the keys.
/// </summary>
public sealed record PersonalMember(string Path, WhenErased WhenErased = WhenErased.Placeholder);

/// <summary>One kind of fact with the members of it that are personal.</summary>
/// <param name="StoredName">As stored, with its version suffix.</param>
public sealed record PersonalEvent(string StoredName, IReadOnlyList<PersonalMember> Members);

public enum AliasChange
{
    /// <summary>The aliases are only looked up.</summary>
    None,

    /// <summary>From now on the aliases mean the subject.</summary>
    Claim,

    /// <summary>The aliases no longer mean the subject.</summary>
    Release,
}

/// <summary>
/// Whom a fact is about. <paramref name="Subject"/> is a stable id without a personal value in it ("user:3f…"); null when only an alias is known.
/// An alias is something personal that stands for one ("phone:+90…"): the store keeps nothing but a keyed hash of it. An alias that nobody claimed is a
/// subject of its own.
/// </summary>
/// <param name="Tenant">The subject's tenant; null: the tenant of the stream.</param>
public sealed record SubjectNaming(string? Subject, string? Tenant = null, IReadOnlyList<string>? Aliases = null, AliasChange Change = AliasChange.None);

/// <summary>
/// The application's list of what is personal and of whom. Facts that name nobody belong to whom their stream named last, or else to the stream itself.
/// </summary>
/// <param name="events">Every kind of fact with personal members.</param>
/// <param name="nameSubject">(tenant, stream, fact): whom the fact names; null: nobody. Pure.</param>
/// <param name="erasure">How an erasure is told in the log; needed by whoever erases.</param>
/// <param name="privateStreams">Beginnings of stream names whose rest is a personal value ("contact-phone-"): the rest is stored as a keyed hash.</param>
public sealed class PersonalDataMap(
    IEnumerable<PersonalEvent> events, Func<string, string, object, SubjectNaming?> nameSubject, IReadOnlyList<string>? privateStreams = null,
    ErasureFact? erasure = null)
{
    public const string Placeholder = "[erased]";

    private readonly FrozenDictionary<string, SealingRule> _rules =
        events.ToFrozenDictionary(e => e.StoredName, e => SealingRule.Of(e.Members), StringComparer.Ordinal);

    public IReadOnlyList<string> PrivateStreams { get; } = privateStreams ?? [];

    public ErasureFact? Erasure { get; } = erasure;

    public SubjectNaming? SubjectOf(string tenant, string streamId, object fact) => nameSubject(tenant, streamId, fact);

    internal SealingRule? RuleFor(string storedName) => _rules.GetValueOrDefault(storedName);
}

/// <summary>The paths of one kind of fact as a tree, so that a walk over its JSON knows at each step what is personal below.</summary>
internal sealed class SealingRule
{
    // A kind of fact has few personal members: comparing their names one by one is quicker than hashing the one that is asked for.
    private readonly List<(byte[] Name, SealingRule Rule)> _members = [];
    private SealingRule? _each;

    public bool IsPersonal { get; private set; }

    public WhenErased WhenErased { get; private set; }

    /// <summary>At the root: an event of this kind holds at least one personal text, unless all of them are missing.</summary>
    public bool HasTextAlways => _members.Exists(m => m.Rule is { IsPersonal: true, WhenErased: WhenErased.Placeholder });

    public static SealingRule Of(IEnumerable<PersonalMember> members)
    {
        var root = new SealingRule();
        foreach (var member in members)
        {
            var leaf = root;
            foreach (var step in member.Path.Replace("[]", ".*", StringComparison.Ordinal).Split('.')) leaf = leaf.Grow(step);
            (leaf.IsPersonal, leaf.WhenErased) = (true, member.WhenErased);
        }
        return root;
    }

    /// <summary>What holds for a member of this name, given as UTF-8.</summary>
    public SealingRule? Member(ReadOnlySpan<byte> name) => Find(name) ?? _each;

    public SealingRule? Element => _each;

    private SealingRule Grow(string step)
    {
        if (step.Length == 0) throw new ArgumentException("A path of a personal member has an empty step.");
        if (step == "*") return _each ??= new SealingRule();
        var name = Encoding.UTF8.GetBytes(step);
        if (Find(name) is { } there) return there;
        _members.Add((name, new SealingRule()));
        return _members[^1].Rule;
    }

    private SealingRule? Find(ReadOnlySpan<byte> name)
    {
        foreach (var member in _members)
        {
            if (name.SequenceEqual(member.Name)) return member.Rule;
        }
        return null;
    }
}
