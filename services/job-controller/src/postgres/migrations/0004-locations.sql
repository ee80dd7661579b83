-- The word of the contract.
ALTER TABLE places RENAME TO locations;
ALTER INDEX places_pkey RENAME TO locations_pkey;
ALTER INDEX places_repository RENAME TO locations_repository;
