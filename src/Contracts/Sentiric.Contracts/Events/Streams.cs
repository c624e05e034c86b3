namespace Sentiric.Contracts.Events;

/// <summary>Names of streams, in one place.</summary>
public static class Streams
{
    /// <summary>Tenant of what belongs to no tenant: who owns which number, which SIP user name.</summary>
    public const string SystemTenant = "*DEFAULT*";

    private const string CallPrefix = "call-";
    private const string ChatPrefix = "chat-";

    /// <summary>
    /// Beginnings of names whose rest tells of a person. Where personal data is protected, the store keeps the rest as a keyed hash and finds the stream
    /// under both names.
    /// </summary>
    public static readonly IReadOnlyList<string> Private =
    [
        .. Enum.GetValues<ContactType>().Select(type => Contact(type, "")), "sipuser-", "registration-",
    ];

    public static string Tenant(string tenant) => "tenant-" + tenant;

    public static string Call(Guid callId) => CallPrefix + callId.ToString("D");

    public static string Chat(Guid chatId) => ChatPrefix + chatId.ToString("D");

    public static string User(Guid userId) => "user-" + userId.ToString("D");

    public static string Contact(ContactType type, string value) => $"contact-{Lower(type)}-{value}";

    public static string SipUser(string realm, string username) => $"sipuser-{realm}-{username}";

    public static string Registration(string realm, string username) => $"registration-{realm}-{username}";

    public static string Number(string number) => "number-" + number;

    public static string Route(string number) => "route-" + number;

    public static string Dialplan(string dialplanId) => "dialplan-" + dialplanId;

    public static string Schedule(string scheduleId) => "schedule-" + scheduleId;

    public static string Announcement(string announcementId) => "announcement-" + announcementId;

    public static string Assistant(string assistantId) => "assistant-" + assistantId;

    public static string Article(string articleId) => "article-" + articleId;

    public static string Connector(string name) => "connector-" + name;

    public static string Calendar(string connector, DateOnly day) =>
        $"calendar-{connector}-{day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)}";

    /// <summary>The call or chat that a stream tells of; null for every other stream.</summary>
    public static Guid? CallIdOf(string stream)
    {
        var prefix = stream.StartsWith(CallPrefix, StringComparison.Ordinal) || stream.StartsWith(ChatPrefix, StringComparison.Ordinal) ? CallPrefix.Length : 0;
        return prefix > 0 && Guid.TryParseExact(stream.AsSpan(prefix), "D", out var id) ? id : null;
    }

    private static string Lower(ContactType type) => type switch
    {
        ContactType.Phone => "phone",
        ContactType.Email => "email",
        ContactType.Extension => "extension",
        ContactType.WhatsApp => "whatsapp",
        ContactType.Telegram => "telegram",
    };
}
