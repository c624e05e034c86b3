using Sentiric.Contracts;
using Sentiric.Contracts.Events;
using Sentiric.Contracts.Text;

namespace Sentiric.Write.Users;

/// <summary>The one form in which a contact is stored, claimed and looked up.</summary>
public static class ContactValue
{
    private const int MaxLength = 254;

    public static Result<string> Normalize(ContactType type, string? value)
    {
        var text = value?.Trim() ?? "";
        var normal = type switch
        {
            ContactType.Phone or ContactType.WhatsApp => Phone(text),
            ContactType.Extension => Extension(text),
            ContactType.Email => Email(text),
            ContactType.Telegram => text.TrimStart('@').ToLowerInvariant(),
        };
        return Valid.Text(normal, MaxLength) && !normal!.Contains(' ', StringComparison.Ordinal)
            ? normal
            : new Refusal("contact.invalid", $"'{Shown(text)}' is not a contact of type {NameOf(type)}.");
    }

    /// <summary>The type by its stable name, "phone"; null for a name that is none.</summary>
    public static ContactType? TypeNamed(string name) =>
        Enum.GetValues<ContactType>().Where(t => NameOf(t) == name).Select(t => (ContactType?)t).FirstOrDefault();

    /// <summary>What a calling number or name is looked up as: with a plus a phone, anything else an extension.</summary>
    public static ContactType TypeOf(string from) => from.StartsWith('+') ? ContactType.Phone : ContactType.Extension;

    // contact-{type}-{value}
    private static string NameOf(ContactType type) => Streams.Contact(type, "").Split('-')[1];

    private static string? Phone(string text) =>
        PhoneNumber.Normalize(text) is var number && number.StartsWith('+') && PhoneNumber.IsDialable(number) ? number : null;

    private static string? Extension(string text) =>
        PhoneNumber.Normalize(text) is var number && number != PhoneNumber.Anonymous && !number.StartsWith('+') ? number : null;

    private static string? Email(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && at < text.Length - 1 && text.IndexOf('@', at + 1) < 0 ? text.ToLowerInvariant() : null;
    }

    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
