namespace Sentiric.Sip;

/// <summary>The Replaces header (RFC 3891): which dialog a new call takes the place of.</summary>
internal static class Replacement
{
    private const string Header = "Replaces";

    /// <summary>RFC 3891 3. Gives the refusal, or null and the dialog when the INVITE names one.</summary>
    public static SipAnswer? Find(SipShard shard, SipRequest invite, out SipDialog? replaced)
    {
        replaced = null;
        List<string>? values = null;
        foreach (string value in invite.Headers(Header))
        {
            (values ??= []).Add(value);
        }

        if (values is null)
        {
            return null;
        }

        if (values.Count > 1 || KeyOf(values[0], out bool earlyOnly) is not { } key)
        {
            return new SipAnswer(400, "Unreadable Replaces");
        }

        switch (shard.Dialogs.Find(key))
        {
            case SipDialog { IsConfirmed: true } when earlyOnly:
                return new SipAnswer(486);
            case SipDialog known:
                replaced = known;
                return null;
            default:
                // Also an early dialog that the other side began: 481.
                return new SipAnswer(shard.Dialogs.HasEnded(key) ? 603 : 481);
        }
    }

    /// <summary>What a third party writes to take our peer's place in this dialog: the tags as that peer sees them.</summary>
    public static string ValueFor(SipDialog dialog) => $"{dialog.CallId};to-tag={dialog.RemoteTag};from-tag={dialog.LocalTag}";

    /// <summary>"call-id;to-tag=ours;from-tag=theirs[;early-only]": the receiver's own tag is the to-tag.</summary>
    private static DialogKey? KeyOf(string value, out bool earlyOnly)
    {
        string[] parts = value.Split(';', StringSplitOptions.TrimEntries);
        string? toTag = null, fromTag = null;
        earlyOnly = false;
        foreach (string part in parts.Skip(1))
        {
            int equals = part.IndexOf('=', StringComparison.Ordinal);
            string name = (equals < 0 ? part : part[..equals]).Trim();
            string? given = equals < 0 ? null : part[(equals + 1)..].Trim();
            earlyOnly |= name.Equals("early-only", StringComparison.OrdinalIgnoreCase);
            toTag = name.Equals("to-tag", StringComparison.OrdinalIgnoreCase) ? given : toTag;
            fromTag = name.Equals("from-tag", StringComparison.OrdinalIgnoreCase) ? given : fromTag;
        }

        return parts[0].Length > 0 && toTag is { Length: > 0 } && fromTag is { Length: > 0 } ? new DialogKey(parts[0], toTag, fromTag) : null;
    }
}
