"""The paper's claims, judged on the study's runs."""

from recycling.exhibits.exhibit import Exhibit

EXHIBIT = Exhibit("The paper's claims", "Claims", data="claims.json")
