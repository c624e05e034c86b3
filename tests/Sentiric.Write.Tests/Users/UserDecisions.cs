using Sentiric.Contracts.Events;
using Sentiric.Write.Tests.Kit;
using Sentiric.Write.Users;

namespace Sentiric.Write.Tests.Users;

public sealed class UserDecisions
{
    private static readonly Guid Id = Guid.Parse("01980000-0000-7000-8000-0000000000aa");
    private static readonly UserCreated Created = new(Given.Earlier, Id, "Ayşe", UserType.Caller, "tr");
    private static readonly ContactAdded Phone = new(Given.Earlier, Id, ContactType.Phone, "+905321112233", Primary: true);
    private static readonly SipSecret Secret = DigestSecret.Of("sentiric", "ayse", "correct horse");
    private static readonly SipCredentialSet Credential = new(Given.Earlier, Id, "sentiric", "ayse", Secret.Ha1Md5, Secret.Ha1Sha256);
    private static readonly CreateUser Create = new(Id, "Ayşe", UserType.Caller, "tr", [new(ContactType.Phone, "+905321112233", Primary: true)]);
    private static readonly SetSipCredential Set = new(Id, "sentiric", "ayse", Secret);

    private static User Nobody => Given.Nothing<User>();

    private static User Ayse => Given.Facts<User>(Created, Phone, Credential);

    private static User Disabled => Given.Facts<User>(Created, Phone, new UserDisabled(Given.Earlier, Id, "left"));

    [Fact]
    public void A_user_is_created_with_contacts() =>
        Create.Decide(Nobody, Given.Now).Says(Created with { At = Given.Now }, Phone with { At = Given.Now });

    [Fact]
    public void Creating_the_same_user_again_is_quiet() => Create.Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void Another_user_under_the_same_id_is_refused() => (Create with { Name = "Fatma" }).Decide(Ayse, Given.Now).Refuses("user.exists");

    [Theory]
    [InlineData("", "tr")]
    [InlineData("Ayşe", "de")]
    public void A_user_without_a_name_or_with_an_unknown_language_is_refused(string name, string language) =>
        (Create with { Name = name, Language = language }).Decide(Nobody, Given.Now).Refuses("user.invalid");

    [Fact]
    public void The_same_contact_twice_is_refused() =>
        (Create with { Contacts = [Create.Contacts[0], Create.Contacts[0]] }).Decide(Nobody, Given.Now).Refuses("contact.repeated");

    [Fact]
    public void A_user_is_renamed() => new RenameUser(Id, "Ayşe Kaya").Decide(Ayse, Given.Now).Says(new UserRenamed(Given.Now, Id, "Ayşe Kaya"));

    [Fact]
    public void Renaming_to_the_same_name_is_quiet() => new RenameUser(Id, "Ayşe").Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void Nobody_cannot_be_renamed() => new RenameUser(Id, "x").Decide(Nobody, Given.Now).Refuses("user.unknown");

    [Fact]
    public void A_name_is_not_empty() => new RenameUser(Id, " ").Decide(Ayse, Given.Now).Refuses("user.invalid");

    [Fact]
    public void A_language_is_changed() => new ChangeLanguage(Id, "en").Decide(Ayse, Given.Now).Says(new UserLanguageChanged(Given.Now, Id, "en"));

    [Fact]
    public void Changing_to_the_same_language_is_quiet() => new ChangeLanguage(Id, "tr").Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void A_language_that_nobody_speaks_here_is_refused() => new ChangeLanguage(Id, "fr").Decide(Ayse, Given.Now).Refuses("user.invalid");

    [Fact]
    public void A_user_is_disabled() => new DisableUser(Id, "left").Decide(Ayse, Given.Now).Says(new UserDisabled(Given.Now, Id, "left"));

    [Fact]
    public void A_disabled_user_stays_disabled() => new DisableUser(Id, "again").Decide(Disabled, Given.Now).IsQuiet();

    [Fact]
    public void Disabling_needs_a_reason() => new DisableUser(Id, "").Decide(Ayse, Given.Now).Refuses("user.invalid");

    [Fact]
    public void A_disabled_user_is_enabled() => new EnableUser(Id).Decide(Disabled, Given.Now).Says(new UserEnabled(Given.Now, Id));

    [Fact]
    public void An_enabled_user_stays_enabled() => new EnableUser(Id).Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void Nobody_cannot_be_enabled() => new EnableUser(Id).Decide(Nobody, Given.Now).Refuses("user.unknown");

    [Fact]
    public void A_contact_is_added() => new AddContact(Id, ContactType.Email, "a@b.tr").Decide(Ayse, Given.Now)
        .Says(new ContactAdded(Given.Now, Id, ContactType.Email, "a@b.tr", Primary: false));

    [Fact]
    public void Adding_a_contact_again_is_quiet() => new AddContact(Id, ContactType.Phone, "+905321112233").Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void Nobody_gets_no_contact() => new AddContact(Id, ContactType.Email, "a@b.tr").Decide(Nobody, Given.Now).Refuses("user.unknown");

    [Fact]
    public void A_contact_is_removed() => new RemoveContact(Id, ContactType.Phone, "+905321112233").Decide(Ayse, Given.Now)
        .Says(new ContactRemoved(Given.Now, Id, ContactType.Phone, "+905321112233"));

    [Fact]
    public void Removing_a_contact_again_is_quiet() => new RemoveContact(Id, ContactType.Email, "a@b.tr").Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void Nobody_loses_no_contact() => new RemoveContact(Id, ContactType.Email, "a@b.tr").Decide(Nobody, Given.Now).Refuses("user.unknown");

    [Fact]
    public void A_credential_is_set() => Set.Decide(Given.Facts<User>(Created), Given.Now).Says(Credential with { At = Given.Now });

    [Fact]
    public void Setting_the_same_password_is_quiet() => Set.Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void A_disabled_user_gets_no_phone() => Set.Decide(Disabled, Given.Now).Refuses("user.disabled");

    [Fact]
    public void A_short_password_is_refused() => SetSipCredential.Of(Id, "sentiric", "ayse", "short").Decide(Ayse, Given.Now).Refuses("sip.weak_password");

    [Theory]
    [InlineData("ay se")]
    [InlineData("ayşe")]
    [InlineData("a\"b")]
    [InlineData("")]
    public void A_name_that_needs_quoting_is_refused(string username) => (Set with { Username = username }).Decide(Ayse, Given.Now).Refuses("sip.bad_username");

    [Fact]
    public void A_credential_is_removed() => new RemoveSipCredential(Id, "sentiric", "ayse").Decide(Ayse, Given.Now)
        .Says(new SipCredentialRemoved(Given.Now, Id, "sentiric", "ayse"));

    [Fact]
    public void Removing_a_credential_again_is_quiet() => new RemoveSipCredential(Id, "sentiric", "fatma").Decide(Ayse, Given.Now).IsQuiet();

    [Fact]
    public void Nobody_loses_no_credential() => new RemoveSipCredential(Id, "sentiric", "ayse").Decide(Nobody, Given.Now).Refuses("user.unknown");

    // RFC 7616 3.9.1: user Mufasa, realm http-auth@example.org, password "Circle of Life"; its HA1 by both algorithms.
    [Fact]
    public void The_hashes_are_those_of_the_rfc()
    {
        var secret = DigestSecret.Of("http-auth@example.org", "Mufasa", "Circle of Life");
        Assert.Equal("3d78807defe7de2157e2b0b6573a855f", secret.Ha1Md5);
        Assert.Equal("7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232", secret.Ha1Sha256);
    }
}
